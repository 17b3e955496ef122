#include <gtest/gtest.h>

#include "doctor/client/connection.hpp"
#include "doctor/client/test_connection.hpp"

namespace doctor::client {
namespace {

using Texts = TestConnection::Texts;

TEST(Doctor, WhatAnErrorSaysIsTheDataOfTheFailure) {
  TestConnection test;
  test.come_up();
  test.hear("ERROR\n\nso \xff it\n\"is\"\n^");
  EXPECT_TRUE(std::holds_alternative<Disconnect>(*test.connection.next(test.now)));
  const Error reason = std::get<Down>(*test.connection.next(test.now)).reason;
  EXPECT_TRUE(reason.is(Code::communication));
  EXPECT_EQ(reason.data, R"("so ? it \"is\"")");
}

TEST(Doctor, AnErrorIsTheEndOfTheConnection) {
  TestConnection test;
  test.come_up();
  test.hear("ERROR\nmessage:too slow\n\n^MESSAGE\n\n^");
  EXPECT_EQ(test.occurred(), (Texts{"disconnect", "down the peer ended the connection: too slow"}));
}

class Vdsm : public testing::Test {
 protected:
  static Options options() {
    Options options;
    options.peer = Peer::vdsm;
    options.host = "fe80::1";
    return options;
  }
  TestConnection test{options()};
};

TEST_F(Vdsm, NoHeaderHasARawColon) {
  test.connection.start(test.now);
  test.connection.opened(test.now);
  test.connection.listen(true, test.now);
  std::string said = test.said();
  EXPECT_TRUE(said.starts_with("CONNECT\n"));
  EXPECT_EQ(said.find("\nhost:"), said.npos);
  test.hear("CONNECTED\nversion:1.2\nheart-beat:0,0\n\n^");
  CallOptions call;
  call.flow_id = "a:b";
  test.call(1, call);
  test.occurred();
  said += test.said();
  for (std::size_t begin = 0; begin < said.size();) {
    const std::string frame = said.substr(begin, said.find('^', begin) - begin);
    const std::string head = frame.substr(0, frame.find("\n\n"));
    for (std::size_t at = head.find('\n'); at != head.npos;) {
      const std::size_t end = head.find('\n', at + 1);
      const std::string line = head.substr(at + 1, end - at - 1);
      EXPECT_EQ(line.find(':'), line.rfind(':')) << line;
      at = end;
    }
    begin += frame.size() + 1;
  }
}

TEST_F(Vdsm, AnErrorIsLoggedAndIsNotTheEnd) {
  test.come_up();
  test.call(1);
  test.hear("ERROR\ncontent-length:26\n\nSubscription not available^");
  test.hear(
      "MESSAGE\ncontent-length:40\n\n"
      R"({"jsonrpc":"2.0","id":"me-1","result":1})"
      "^");
  EXPECT_EQ(test.occurred(),
            (Texts{"warning the peer sent an ERROR: Subscription not available", "answer 1 1"}));
}

TEST_F(Vdsm, ButItIsAsAnAnswerToConnect) {
  test.connection.start(test.now);
  test.connection.opened(test.now);
  test.hear("ERROR\n\nVersion unsupported^");
  EXPECT_EQ(test.occurred(), (Texts{"connect", "disconnect",
                                    "down the peer ended the connection: Version unsupported"}));
}

TEST_F(Vdsm, AnEventMayComeToTheReplyQueue) {
  test.come_up();
  test.hear(
      "MESSAGE\ndestination:replies-me\ncontent-type:application/json\nsubscription:1\n"
      "content-length:64\n\n"
      R"({"jsonrpc": "2.0", "method": "|virt|VM_status|u1", "params": {}})"
      "^");
  EXPECT_EQ(test.occurred(), Texts{"event fe80::1|virt|VM_status|u1 {}"});
}

TEST_F(Vdsm, AnswersOfTheEnginesOwnRequestsAreNotOurs) {
  test.come_up();
  test.hear_message(R"({"jsonrpc":"2.0","id":"5f3c","result":{}})");
  EXPECT_EQ(test.occurred(), Texts());
  EXPECT_EQ(test.connection.unmatched(), 1u);
}

}  // namespace
}  // namespace doctor::client
