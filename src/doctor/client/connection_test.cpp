#include "doctor/client/connection.hpp"

#include <gtest/gtest.h>

#include "doctor/client/test_connection.hpp"

namespace doctor::client {
namespace {

using namespace std::chrono_literals;
using Texts = TestConnection::Texts;

TEST(Reconnection, BacksOffTwiceAsLongEachTimeUpToABound) {
  TestConnection test;
  test.connection.start(test.now);
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 9; ++i) {
    test.lose();
    waits.push_back((test.connection.deadline() - test.now) / 1ms);
    test.pass(test.connection.deadline() - test.now);
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{500, 1'000, 2'000, 4'000, 8'000, 16'000, 30'000,
                                              30'000, 30'000}));
}

// A refresh call may be answered so each time.
TEST(Reconnection, BacksOffToAPeerThatSendsMoreThanMayBeRead) {
  Options options;
  options.frame_max = 100;
  TestConnection test(options);
  test.come_up();
  const auto wait_after_too_much = [&] {
    test.hear_message(std::string(101, ' '));
    test.occurred();
    return (test.connection.deadline() - test.now) / 1ms;
  };
  const auto again = [&] {
    test.pass(test.connection.deadline() - test.now);
    test.connection.opened(test.now);
    test.hear("CONNECTED\nversion:1.2\n\n^");
    test.occurred();
  };
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 8; ++i) {
    waits.push_back(wait_after_too_much());
    again();
  }
  EXPECT_EQ(waits,
            (std::vector<std::int64_t>{500, 1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000}));
  test.lose();
  EXPECT_EQ((test.connection.deadline() - test.now) / 1ms, 500) << "that was another matter";
  again();
  test.pass(30s);
  EXPECT_EQ(wait_after_too_much(), 500) << "the connection had lasted";
}

TEST(Reconnection, IsAFifthSoonerOrLater) {
  TestConnection test;
  test.connection.start(test.now);
  test.chance = 0;
  test.lose();
  EXPECT_EQ((test.connection.deadline() - test.now) / 1ms, 400);
  test.pass(400ms);
  test.chance = 1;
  test.lose();
  EXPECT_EQ((test.connection.deadline() - test.now) / 1ms, 1'200);
}

TEST(Reconnection, BeginsAnewAfterASuccess) {
  TestConnection test;
  test.connection.start(test.now);
  for (int i = 0; i < 5; ++i) {
    test.lose();
    test.pass(30s);
  }
  test.come_up();
  test.lose();
  EXPECT_EQ((test.connection.deadline() - test.now) / 1ms, 500);
}

TEST(Reconnection, ALossIsToldOnceAndItsLengthAtTheEnd) {
  TestConnection test;
  test.come_up();
  test.connection.listen(true, test.now);
  test.said();
  test.lose();
  EXPECT_EQ(test.occurred(), Texts{"down gone"});
  test.pass(500ms);
  test.lose();
  EXPECT_EQ(test.occurred(), Texts{"connect"});
  test.pass(1s);
  test.connection.opened(test.now);
  test.said();
  test.hear("CONNECTED\nversion:1.2\n\n^");
  EXPECT_EQ(test.occurred(), (Texts{"connect", "up after 1500"}));
  EXPECT_EQ(test.said(),
            "SUBSCRIBE\nid:3\ndestination:replies-me\nack:auto\n\n^"
            "SUBSCRIBE\nid:4\ndestination:jms.queue.events\nack:auto\n\n^");
}

TEST(Reconnection, EndsAfterAsManyAttemptsAsAreAllowed) {
  Options options;
  options.attempts = 2;
  TestConnection test(options);
  test.connection.start(test.now);
  test.call(1);
  test.lose();
  EXPECT_EQ(test.occurred(), (Texts{"connect", "down gone"}));
  test.pass(500ms);
  test.lose();
  EXPECT_EQ(test.occurred(), (Texts{"connect", "error 1 5022 gone", "ended gone"}));
  EXPECT_EQ(test.connection.deadline(), Clock::time_point::max());
  test.call(2);
  EXPECT_EQ(test.occurred(), Texts{"error 2 5022 gone"});
}

TEST(HeartBeats, AreSentAtThreeQuartersOfWhatWasAgreed) {
  TestConnection test;
  test.come_up("0,20000");
  test.pass(14s);
  EXPECT_EQ(test.said(), "");
  test.pass(1s);
  EXPECT_EQ(test.said(), "\n");
  test.pass(10s);
  test.call(1);
  test.said();
  test.pass(14s);
  EXPECT_EQ(test.said(), "");
  test.pass(1s);
  EXPECT_EQ(test.said(), "\n");
}

TEST(HeartBeats, AreNotHeapedUpBeforeAPeerThatDoesNotRead) {
  TestConnection test;
  test.come_up("0,15000");
  test.pass(1h);
  EXPECT_EQ(test.said(), "\n");
}

TEST(HeartBeats, ThePeerIsDeadAfterTwiceItsInterval) {
  TestConnection test;
  test.come_up("20000,0");
  test.pass(39s);
  test.hear("\n");
  test.pass(39s);
  EXPECT_EQ(test.occurred(), Texts());
  test.pass(1s);
  EXPECT_EQ(
      test.occurred(),
      (Texts{"disconnect", "down the peer was silent for longer than its heart-beat allows"}));
}

TEST(HeartBeats, ThatWaitToBeReadAreHeard) {
  TestConnection test;
  test.come_up("20000,0");
  test.pass(39s);
  test.connection.heard(test.now);
  test.pass(39s);
  EXPECT_EQ(test.occurred(), Texts());
  test.pass(1s);
  EXPECT_EQ(test.occurred().size(), 2u);
}

TEST(HeartBeats, AreNoneIfOneSideWantsNone) {
  TestConnection test;
  test.come_up("0,0");
  EXPECT_EQ(test.connection.deadline(), Clock::time_point::max());
  Options options;
  options.heart_beat = 0ms;
  TestConnection other(options);
  other.come_up("1000,1000");
  EXPECT_EQ(other.connection.deadline(), Clock::time_point::max());
}

TEST(Pausing, ThePeersSilenceAndTheTimeOfRequestsAreNotJudged) {
  TestConnection test;
  test.come_up("15000,15000");
  CallOptions options;
  options.timeout = 20s;
  test.call(1, options);
  test.said();
  test.pass(10s);
  test.connection.pause(test.now);
  test.pass(1h);
  EXPECT_EQ(test.occurred(), Texts());
  EXPECT_EQ(test.said(), "\n");  // our beats go on
  test.connection.resume(test.now);
  test.pass(9s);
  EXPECT_EQ(test.occurred(), Texts());
  test.pass(1s);
  EXPECT_EQ(test.occurred(), Texts{"error 1 5022 there was no answer within the time-out"});
  test.pass(10s);
  EXPECT_EQ(test.occurred().size(), 2u);
}

TEST(Pausing, NothingMoreIsGivenOutUntilItIsOver) {
  TestConnection test;
  test.come_up();
  test.hear_message(R"([{"jsonrpc":"2.0","method":"|a|b|1"},{"jsonrpc":"2.0","method":"|a|b|2"}])");
  test.hear_message(R"({"jsonrpc":"2.0","method":"|a|b|3"})");
  ASSERT_TRUE(test.connection.next(test.now));
  test.connection.pause(test.now);
  EXPECT_EQ(test.occurred(), Texts());
  test.connection.resume(test.now);
  EXPECT_EQ(test.occurred(), (Texts{"event localhost|a|b|2 ", "event localhost|a|b|3 "}));
}

TEST(Pausing, ALossIsToldAtOnce) {
  TestConnection test;
  test.come_up();
  test.connection.pause(test.now);
  test.lose();
  EXPECT_EQ(test.occurred(), Texts{"down gone"});
}

TEST(Goodbye, WaitsForItsReceipt) {
  TestConnection test;
  test.come_up();
  test.call(1);
  test.said();
  test.connection.stop(test.now);
  EXPECT_EQ(test.said(), "DISCONNECT\nreceipt:goodbye\n\n^");
  EXPECT_EQ(test.occurred(), Texts{"error 1 5022 the client was closed"});
  test.hear("RECEIPT\nreceipt-id:goodbye\n\n^");
  EXPECT_EQ(test.occurred(), (Texts{"disconnect", "ended the client was closed"}));
  EXPECT_EQ(test.connection.deadline(), Clock::time_point::max());
}

TEST(Goodbye, DoesNotWaitForLong) {
  TestConnection test;
  test.come_up();
  test.connection.stop(test.now);
  test.pass(2s);
  EXPECT_EQ(test.occurred(), (Texts{"disconnect", "ended the client was closed"}));
}

TEST(Goodbye, IsNotTheBeginningOfAnotherConnection) {
  TestConnection test;
  test.come_up();
  test.connection.stop(test.now);
  test.hear("no STOMP at all\n");
  EXPECT_EQ(test.occurred(), (Texts{"disconnect", "ended the client was closed"}));
  TestConnection other;
  other.come_up();
  other.connection.stop(other.now);
  other.lose();
  EXPECT_EQ(other.occurred(), Texts{"ended the client was closed"});
}

TEST(Goodbye, NeedsNoneWithoutConnection) {
  TestConnection test;
  test.connection.start(test.now);
  test.connection.stop(test.now);
  EXPECT_EQ(test.occurred(), (Texts{"connect", "disconnect", "ended the client was closed"}));
  TestConnection other;
  other.connection.start(other.now);
  other.lose();
  other.connection.stop(other.now);
  EXPECT_EQ(other.occurred(), (Texts{"connect", "down gone", "ended the client was closed"}));
}

}  // namespace
}  // namespace doctor::client
