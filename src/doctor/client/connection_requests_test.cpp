#include <gtest/gtest.h>

#include "doctor/client/connection.hpp"
#include "doctor/client/test_connection.hpp"

namespace doctor::client {
namespace {

using namespace std::chrono_literals;
using Texts = TestConnection::Texts;

TEST(Requests, AreAnsweredByTheirId) {
  TestConnection test;
  test.come_up();
  test.call(1);
  test.call(2);
  EXPECT_TRUE(test.said().starts_with(request_1));
  test.hear_message(R"({"jsonrpc":"2.0","id":"me-2","result":{"a": 1}})");
  test.hear_message(
      R"({"jsonrpc":"2.0","id":"me-1","error":{"code":404,"message":"no","data":[1]}})");
  EXPECT_EQ(test.occurred(), (Texts{R"(answer 2 {"a":1})", "error 1 404 no"}));
}

TEST(Requests, AreAnsweredHoweverDeepDocumentsAre) {
  TestConnection test;
  test.come_up();
  test.call(1);
  const std::string deep = std::string(500, '[') + std::string(500, ']');
  test.hear_message(R"({"jsonrpc":"2.0","id":"me-1","result":)" + deep + "}");
  EXPECT_EQ(test.occurred(), Texts{"answer 1 " + deep});
}

TEST(Requests, AnswersOfOthersAreNotOurs) {
  TestConnection test;
  test.come_up();
  test.call(1);
  for (const char* id : {"\"me-2\"", "1", "null", "\"you-1\"", "\"me-\"", "\"me-01x\"", "\"m"}) {
    test.hear_message(R"({"jsonrpc":"2.0","result":1,"id":)" + std::string(id) + "}");
  }
  test.occurred();
  EXPECT_EQ(test.connection.unmatched(), 7u);
  test.hear_message(R"({"jsonrpc":"2.0","result":1,"id":"me-1"})");
  test.hear_message(R"({"jsonrpc":"2.0","result":2,"id":"me-1"})");
  EXPECT_EQ(test.occurred(), Texts{"answer 1 1"});
  EXPECT_EQ(test.connection.unmatched(), 8u);
}

TEST(Requests, FailIfTheyWereSentAndTheConnectionIsLost) {
  TestConnection test;
  test.come_up();
  test.call(1);
  test.said();
  test.lose();
  test.call(2);
  EXPECT_EQ(test.occurred(), (Texts{"error 1 5022 gone", "down gone"}));
  test.pass(500ms);
  test.connection.opened(test.now);
  test.hear("CONNECTED\nversion:1.2\n\n^");
  test.occurred();
  const std::string said = test.said();
  EXPECT_EQ(said.find("me-1"), said.npos);
  EXPECT_NE(said.find("me-2"), said.npos);
}

TEST(Requests, FailWithTooLargeWhereAFrameIsLongerThanMayBeRead) {
  Options options;
  options.frame_max = 100;
  TestConnection test(options);
  test.come_up();
  test.call(1);
  test.hear_message(std::string(101, ' '));
  const std::string why = "the peer sent a frame with more than 100 octets, or too long headers";
  EXPECT_EQ(test.occurred(), (Texts{"disconnect", "error 1 5023 " + why, "down " + why}));
}

TEST(Requests, ThatAreIdempotentAreSentOnceMoreWithTheSameIdBeforeAllOthers) {
  TestConnection test;
  CallOptions options;
  options.idempotent = true;
  test.come_up();
  test.call(1, options);
  test.said();
  test.lose();
  test.call(2);
  EXPECT_EQ(test.occurred(), Texts{"down gone"});
  test.pass(500ms);
  test.connection.opened(test.now);
  test.hear("CONNECTED\nversion:1.2\n\n^");
  test.occurred();
  const std::string said = test.said();
  EXPECT_NE(said.find("me-1"), said.npos);
  EXPECT_LT(said.find("me-1"), said.find("me-2"));
  test.lose();
  EXPECT_EQ(test.occurred(), (Texts{"error 1 5022 gone", "error 2 5022 gone", "down gone"}));
}

TEST(Requests, AreSentAgainAfterATimeOutIfTheyMayBe) {
  TestConnection test;
  CallOptions options;
  options.timeout = 10s;
  options.retries = 1;
  test.come_up();
  test.call(1, options);
  EXPECT_EQ(test.said(), request_1);
  test.pass(10s);
  EXPECT_EQ(test.said(), request_1);
  EXPECT_EQ(test.occurred(), Texts());
  test.pass(10s);
  EXPECT_EQ(test.said(), "");
  EXPECT_EQ(test.occurred(), Texts{"error 1 5022 there was no answer within the time-out"});
}

TEST(Requests, TimeOutWhileThereIsNoConnectionAndAreThenNotSent) {
  TestConnection test;
  test.call(1);
  test.pass(180s);
  EXPECT_EQ(test.occurred(), Texts{"error 1 5022 there was no answer within the time-out"});
  test.come_up();
  EXPECT_EQ(test.said(), "");
}

TEST(Requests, AreBoundedInNumberAndInOctets) {
  Options options;
  options.calls_max = 2;
  TestConnection test(options);
  for (std::uint64_t id = 1; id <= 3; ++id) test.call(id);
  EXPECT_EQ(test.occurred(), Texts{"error 3 5022 too many requests wait already"});

  options.calls_max = 100;
  options.unsent_max = 400;
  TestConnection other(options);
  for (std::uint64_t id = 1; id <= 3; ++id) other.call(id);
  EXPECT_EQ(other.occurred(), Texts{"error 3 5022 too many requests wait already"});
  EXPECT_FALSE(other.connection.publish("|a|b|c", std::string(300, ' '), other.now));
}

TEST(Requests, CarryTheFlowIdEscaped) {
  TestConnection test;
  test.come_up();
  CallOptions options;
  options.flow_id = "a:b";
  test.call(1, options);
  EXPECT_NE(test.said().find("\novirtCorrelationId:a\\cb\n"), std::string::npos);
}

}  // namespace
}  // namespace doctor::client
