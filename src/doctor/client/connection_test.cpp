#include "doctor/client/connection.hpp"

#include <gtest/gtest.h>

#include "doctor/client/test_connection.hpp"

namespace doctor::client {
namespace {

using namespace std::chrono_literals;
using Texts = TestConnection::Texts;

constexpr const char* request_1 =
    "SEND\ndestination:jms.topic.vdsm_requests\nreply-to:replies-me\n"
    "content-type:application/json\ncontent-length:50\n\n"
    R"({"jsonrpc":"2.0","id":"me-1","method":"Host.ping"})"
    "^";

TEST(Greeting, ConnectsAndThenSubscribesBeforeTheFirstRequest) {
  TestConnection test;
  test.call(1);
  test.connection.listen(true, test.now);
  EXPECT_EQ(test.occurred(), Texts());
  test.connection.start(test.now);
  EXPECT_EQ(test.occurred(), Texts{"connect"});
  EXPECT_EQ(test.said(), "");
  test.connection.opened(test.now);
  EXPECT_EQ(test.said(),
            "CONNECT\naccept-version:1.2\nhost:localhost\nheart-beat:15000,15000\n\n^");
  test.hear("CONNECTED\nversion:1.2\n\n^");
  EXPECT_EQ(test.occurred(), Texts{"up"});
  EXPECT_EQ(test.said(),
            "SUBSCRIBE\nid:1\ndestination:replies-me\nack:auto\n\n^"
            "SUBSCRIBE\nid:2\ndestination:jms.queue.events\nack:auto\n\n^" +
                std::string(request_1));
}

TEST(Greeting, CredentialsAreNotEscaped) {
  Options options;
  options.login = "connector";
  options.passcode = "a:b\\c";
  TestConnection test(options);
  test.connection.start(test.now);
  test.connection.opened(test.now);
  EXPECT_NE(test.said().find("\nlogin:connector\npasscode:a:b\\c\n"), std::string::npos);
}

TEST(Greeting, EventsAreFilteredByThePeerWhateverItsNameIsHere) {
  Options options;
  options.event_filter = {"here|virt|*|*", "*|*|*|u1"};
  TestConnection test(options);
  test.come_up();
  test.connection.listen(true, test.now);
  EXPECT_EQ(test.said(),
            "SUBSCRIBE\nid:2\ndestination:jms.queue.events\nack:auto\n"
            "event-filter:*|virt|*|*,*|*|*|u1\n\n^");
}

TEST(Greeting, AFilterOfAllThatComesFromHereIsNone) {
  Options options;
  options.event_filter = {"*|*|*|u1", "here|*|*|*"};
  TestConnection test(options);
  test.come_up();
  test.connection.listen(true, test.now);
  EXPECT_EQ(test.said().find("event-filter"), std::string::npos);
}

TEST(Greeting, AnyOtherVersionIsAFailure) {
  TestConnection test;
  test.connection.start(test.now);
  test.connection.opened(test.now);
  test.hear("CONNECTED\nversion:1.1\n\n^");
  EXPECT_EQ(test.occurred(),
            (Texts{"connect", "disconnect", "down the peer does not speak STOMP 1.2"}));
}

TEST(Greeting, ARefusalIsToldInThePeersWords) {
  TestConnection test;
  test.connection.start(test.now);
  test.connection.opened(test.now);
  test.hear("ERROR\nmessage:Bad CONNECT\n\n^");
  EXPECT_EQ(test.occurred(),
            (Texts{"connect", "disconnect", "down the peer ended the connection: Bad CONNECT"}));
}

TEST(Greeting, ThatTakesTooLongIsGivenUp) {
  TestConnection test;
  test.connection.start(test.now);
  test.occurred();
  test.pass(15s);
  test.connection.opened(test.now);
  EXPECT_EQ(test.occurred(), Texts());
  test.pass(5s);
  EXPECT_EQ(test.occurred(),
            (Texts{"disconnect", "down there was no connection within the connect time-out"}));
}

TEST(Greeting, WhatIsNoStompIsAFailure) {
  TestConnection test;
  test.connection.start(test.now);
  test.connection.opened(test.now);
  test.hear("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(test.occurred(),
            (Texts{"connect", "disconnect", "down the peer speaks no STOMP: Unknown command"}));
}

TEST(Options, ThatCannotBeSaidAreRefused) {
  const auto refused = [](auto change) {
    Options options;
    change(options);
    return !Connection::check(options);
  };
  EXPECT_FALSE(refused([](Options&) {}));
  EXPECT_TRUE(refused([](Options& o) { o.host = ""; }));
  EXPECT_TRUE(refused([](Options& o) { o.host = "a\nb"; }));
  EXPECT_TRUE(refused([](Options& o) { o.passcode = "a\nb"; }));
  EXPECT_TRUE(refused([](Options& o) { o.event_filter = {"a|b"}; }));
  EXPECT_TRUE(refused([](Options& o) { o.event_filter = {"a|b|c|d,e"}; }));
  EXPECT_TRUE(refused([](Options& o) { o.connect_timeout = 0ms; }));
  EXPECT_FALSE(refused([](Options& o) { o.passcode = "a:b"; }));
  const auto vdsm = [](Options& o) {
    o.peer = Peer::vdsm;
    o.login = "a";
    o.passcode = "a:b";
  };
  EXPECT_TRUE(refused(vdsm));
}

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

TEST(Events, GetTheNameOfThePeerForTheirReceiver) {
  Options options;
  options.receiver = "host1";
  TestConnection test(options);
  test.come_up();
  test.hear_message(R"({"jsonrpc": "2.0", "method": "|virt|VM_status|u1", "params": {"a": 1}})");
  test.hear_message(R"({"jsonrpc":"2.0","method":"host2|virt|VM_status|u|1"})");
  EXPECT_EQ(test.occurred(),
            (Texts{R"(event host1|virt|VM_status|u1 {"a":1})", "event host2|virt|VM_status|u|1 "}));
}

TEST(Events, WhatIsNoneIsCounted) {
  TestConnection test;
  test.come_up();
  test.hear_message(R"({"jsonrpc":"2.0","method":"Host.ping","id":1})");
  test.hear_message(R"({"jsonrpc":"2.0","method":"|a|b"})");
  test.hear_message("{");
  EXPECT_EQ(test.occurred().size(), 1u);  // a warning: no JSON
  EXPECT_EQ(test.connection.unmatched(), 3u);
}

TEST(Events, MayComeManyTogether) {
  TestConnection test;
  test.come_up();
  std::string many = R"([{"jsonrpc":"2.0","method":"|a|b|c"})";
  for (int i = 0; i < 2'000; ++i) many += R"(,{"jsonrpc":"2.0","method":"|a|b|c"})";
  test.hear_message(many + "]");
  EXPECT_EQ(test.occurred().size(), 2'001u);
}

TEST(Events, AreListenedToOnlyWhileWanted) {
  TestConnection test;
  test.come_up();
  test.connection.listen(true, test.now);
  test.connection.listen(true, test.now);
  test.connection.listen(false, test.now);
  EXPECT_EQ(test.said(),
            "SUBSCRIBE\nid:2\ndestination:jms.queue.events\nack:auto\n\n^UNSUBSCRIBE\nid:2\n\n^");
}

TEST(Events, ArePublishedOnceThereIsAConnection) {
  TestConnection test;
  EXPECT_TRUE(test.connection.publish("|a|b|c", "{}", test.now));
  test.connection.start(test.now);
  test.connection.opened(test.now);
  test.said();
  test.hear("CONNECTED\nversion:1.2\n\n^");
  test.occurred();
  EXPECT_TRUE(test.said().ends_with(
      "SEND\ndestination:jms.queue.events\ncontent-type:application/json\ncontent-length:47\n\n"
      R"({"jsonrpc":"2.0","method":"|a|b|c","params":{}})"
      "^"));
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
