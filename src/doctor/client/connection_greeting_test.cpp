#include <gtest/gtest.h>

#include "doctor/client/connection.hpp"
#include "doctor/client/test_connection.hpp"

namespace doctor::client {
namespace {

using namespace std::chrono_literals;
using Texts = TestConnection::Texts;

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

}  // namespace
}  // namespace doctor::client
