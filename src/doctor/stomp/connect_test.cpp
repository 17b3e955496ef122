#include <gtest/gtest.h>

#include "doctor/stomp/test_broker.hpp"

// CONNECT, and what comes before it.
namespace doctor::stomp::testing {
namespace {

using namespace std::chrono_literals;

TEST(Connect, WithoutAcceptVersionIsOf10) {
  World world;
  EXPECT_EQ(world.client().open().sends("CONNECT").hears(),
            (Lines{"CONNECTED version=1.0 heart-beat=0,0"}));
}

TEST(Connect, IsTheSameAsStomp) {
  World world;
  EXPECT_EQ(world.client().open().sends("STOMP|accept-version:1.2").hears(),
            (Lines{"CONNECTED version=1.2 heart-beat=0,0"}));
}

TEST(Connect, AgreesOnTheHighestVersion) {
  World world;
  EXPECT_EQ(world.client().connect("1.0, 1.1,2.0").hears(),
            (Lines{"CONNECTED version=1.1 heart-beat=0,0"}));
}

TEST(Connect, OfVersionsThatAreNotServedIsRefusedWithThoseThatAre) {
  World world;
  EXPECT_EQ(world.client().connect("1.3").hears(),
            (Lines{"ERROR message=Version unsupported version=1.0,1.1,1.2", "closed"}));
  EXPECT_EQ(world.figures().refused_version, 1u);
}

TEST(Connect, TwiceIsAnError) {
  World world;
  EXPECT_EQ(world.client().connect().quiet().sends("CONNECT|accept-version:1.2").hears(),
            (Lines{"ERROR message=Already connected", "closed"}));
}

TEST(Connect, NeedsNoHost) {
  World world;
  EXPECT_EQ(world.client().connect("1.2", "|host:null").hears().size(), 1u);
}

TEST(Connect, TellsASessionOfItsOwn) {
  World world;
  const std::string one = world.client().connect().writes().at(0);
  const std::string two = world.client().connect().writes().at(0);
  EXPECT_NE(one, two);
}

TEST(Credentials, ThatAreWrongAreRefusedAfterADelay) {
  World world({}, {}, true);
  world.login_delay = 500ms;
  Peer& peer = world.client().connect("1.2", "|login:connector|passcode:guess");
  EXPECT_EQ(peer.hears(), (Lines{}));
  peer.sends("SUBSCRIBE|id:1|destination:a");
  world.pass(400ms);
  EXPECT_EQ(peer.hears(), (Lines{}));
  world.pass(200ms);
  EXPECT_EQ(peer.hears(), (Lines{"ERROR message=Bad CONNECT", "closed"}));
  for (const std::string& line : world.log()) EXPECT_EQ(line.find("guess"), line.npos);
}

TEST(Credentials, ThatAreMissingAreRefusedAtOnce) {
  World world({}, {}, true);
  world.login_delay = 500ms;
  EXPECT_EQ(world.client().connect().hears(), (Lines{"ERROR message=Bad CONNECT", "closed"}));
}

TEST(Credentials, MayBeACertificate) {
  World world({}, {}, true);
  EXPECT_EQ(world.client().open("engine").connect().hears().size(), 1u);
  EXPECT_EQ(world.client().as_connector().connect().hears().size(), 1u);
}

// oVirt's Java client drains its queue from the wrong end.
TEST(BeforeConnect, SubscribesAreHeldAndTakeEffectUnderItsVersion) {
  World world;
  Peer& peer = world.client().open();
  peer.sends("SUBSCRIBE|id:x\\c1|destination:a|receipt:r1");
  peer.sends("SUBSCRIBE|id:2|destination:b");
  EXPECT_EQ(peer.hears(), (Lines{}));
  peer.connect("1.2");
  EXPECT_EQ(peer.hears(), (Lines{"CONNECTED version=1.2 heart-beat=0,0", "RECEIPT receipt-id=r1"}));
  peer.sends("SEND|destination:a||hello").sends("SEND|destination:b||there");
  EXPECT_EQ(peer.hears(), (Lines{"MESSAGE subscription=x:1 destination=a [hello]",
                                 "MESSAGE subscription=2 destination=b [there]"}));
}

TEST(BeforeConnect, WhatIsWrongInASubscribeIsSaidAfterConnected) {
  World world;
  EXPECT_EQ(world.client().open().sends("SUBSCRIBE|destination:a").connect().hears(),
            (Lines{"CONNECTED version=1.2 heart-beat=0,0",
                   "ERROR message=Missing destination or subscription id header", "reset"}));
}

TEST(BeforeConnect, OtherFramesAreErrors) {
  World world;
  for (const std::string frame : {"SEND|destination:a", "BEGIN|transaction:1", "DISCONNECT"}) {
    EXPECT_EQ(world.client().open().sends(frame).hears(),
              (Lines{"ERROR message=Not connected", "closed"}));
  }
  EXPECT_EQ(world.client().open().sends("SEND|destination:a|receipt:7").hears(),
            (Lines{"ERROR message=Not connected receipt-id=7", "closed"}));
}

TEST(BeforeConnect, NoMoreIsHeldThanTheLimit) {
  Limits limits;
  limits.stomp_before_connect = 200;
  World world(limits);
  Peer& peer = world.client().open();
  for (int i = 0; i < 3; ++i) {
    peer.sends("SUBSCRIBE|destination:" + std::string(30, 'a') + "|id:" + std::to_string(i));
  }
  EXPECT_EQ(peer.hears().at(0),
            "ERROR message=There is more before CONNECT than the limit stomp_before_connect");
  EXPECT_EQ(world.client().open().sends("SEND|destination:a||" + std::string(300, 'x')).hears(),
            (Lines{"ERROR message=The body is longer than the limit stomp_body", "closed"}));
}

TEST(BeforeConnect, NoMoreTimePassesThanTheLimit) {
  World world;
  Peer& peer = world.client().open().sends("SUBSCRIBE|id:1|destination:a");
  world.pass(9'900ms);
  EXPECT_EQ(peer.hears(), (Lines{}));
  world.pass(200ms);
  EXPECT_EQ(peer.hears().at(0),
            "ERROR message=No CONNECT came within the limit stomp_connect_timeout");
}

TEST(BeforeConnect, AnHttpRequestIsAnErrorAtOnce) {
  World world;
  EXPECT_EQ(world.client().open().send_bytes("GET / HTTP/1.1\r\n").hears(),
            (Lines{"ERROR message=Unknown command", "closed"}));
}

TEST(Disconnect, IsAnsweredWithItsReceiptAndTheEnd) {
  World world;
  EXPECT_EQ(world.client().connect().quiet().sends("DISCONNECT|receipt:7").hears(),
            (Lines{"RECEIPT receipt-id=7", "closed"}));
  EXPECT_EQ(world.client().connect().quiet().sends("DISCONNECT").hears(), (Lines{"closed"}));
}

TEST(Disconnect, IsTheLastFrameThatCounts) {
  World world;
  Peer& hears = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  using namespace std::string_view_literals;
  world.client().connect().send_bytes("DISCONNECT\n\n\0SEND\ndestination:a\n\nx\0"sv);
  EXPECT_EQ(hears.hears(), (Lines{}));
}

TEST(Sessions, ThatAreDeletedOrExpireEndTheirConnections) {
  World world({}, {}, true);
  world.session("s", "\"*\"");
  world.session("t", "\"*\"", Timestamp(world.wall().value + 1'000));
  Peer& deleted = world.client().as_session("s").connect().quiet();
  Peer& expired = world.client().as_session("t").connect().quiet();
  world.remove_session("s");
  EXPECT_EQ(deleted.hears(), (Lines{"ERROR message=The session has ended", "closed"}));
  EXPECT_EQ(expired.hears(), (Lines{}));
  world.pass(1'100ms);
  EXPECT_EQ(expired.hears(), (Lines{"ERROR message=The session has ended", "closed"}));
}

TEST(ShutDown, IsToldToAll) {
  World world;
  Peer& peer = world.client().connect().quiet();
  world.broker().shut_down();
  world.pump();
  EXPECT_EQ(peer.hears(), (Lines{"ERROR message=The server shuts down", "closed"}));
}

}  // namespace
}  // namespace doctor::stomp::testing
