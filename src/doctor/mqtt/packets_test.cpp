#include <gtest/gtest.h>

#include "doctor/mqtt/test_broker.hpp"

// The packets after CONNECT.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr Version v3 = Version::v3_1_1;
constexpr Version v5 = Version::v5_0;

TEST(Session, TheSubackSaysFromWhichRevisionOnAllIsHeard) {
  World world;
  world.commit({created("vm", "1")});
  Peer& client = world.client("c1").as_connector().connect(v5).quiet();
  EXPECT_EQ(client.subscribe("#", 1).hears(), (Lines{"SUBACK #1 0x01 revision=1"}));
  world.commit({created("vm", "2")});
  EXPECT_EQ(client.hears(), (Lines{"q1 #1 vm/2 + revision=2 commit=end"}));
  EXPECT_EQ(client.subscribe("a").hears(), (Lines{"SUBACK #2 0x00 revision=2"}));
}

TEST(Session, ThatRevisionIsNotSentToWhoWantsNoProblemInformation) {  // [MQTT-3.1.2-29]
  World world;
  Peer& client = world.client("c1").as_connector().connect(
      v5, [](Connect& c) { c.properties.add(PropertyId::request_problem_information, 0); });
  client.quiet().subscribe("#");
  EXPECT_EQ(client.hears(), (Lines{"SUBACK #1 0x00"}));
  world.commit({created("vm", "1")});
  EXPECT_EQ(client.hears(), (Lines{"vm/1 + revision=1 commit=end"}));
}

TEST(Session, OneReasonForEachFilterInTheirOrder) {  // [MQTT-3.8.4-6] [MQTT-3.9.3-1]
  Limits limits;
  limits.mqtt_subscriptions = 3;
  limits.mqtt_topic_levels = 3;
  World world(limits);
  Subscribe subscribe;
  subscribe.packet_id = 9;
  for (const char* filter : {"a", "a/b/c/d", "b/#", "$share/g/a", "c", "d", "a"}) {
    subscribe.requests.push_back({filter, {QoS::exactly_once, false, false}, 0});
  }
  const std::string reasons = "SUBACK #9 0x02 0x8f 0x02 0x02 0x97 0x97 0x02";
  Peer& client = world.client("c1").as_connector().connect(v5).quiet().send(subscribe);
  EXPECT_EQ(client.hears(), (Lines{reasons + " revision=0"}));
  Peer& old = world.client("c2").as_connector().connect(v3).quiet().send(subscribe);
  EXPECT_EQ(old.hears(), (Lines{"SUBACK #9 0x02 0x80 0x02 0x02 0x80 0x80 0x02"}));
}

TEST(Session, UnsubscribingIsAnsweredAlsoIfNothingMatched) {  // [MQTT-3.10.4-4] [MQTT-3.10.4-5]
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5).subscribe("vm/#").quiet();
  client.send(Unsubscribe{5, {}, {"vm/#", "vm/+"}});
  EXPECT_EQ(client.hears(), (Lines{"UNSUBACK #5 0x00 0x11"}));
  world.commit({created("vm", "1")});
  EXPECT_EQ(client.hears(), (Lines{}));
  Peer& old = world.client("c2").as_connector().connect(v3).quiet().unsubscribe("a");
  EXPECT_EQ(old.hears(), (Lines{"UNSUBACK #1"}));
}

TEST(Session, SubscribingAgainReplacesTheOptionsAndLosesNothing) {  // [MQTT-3.8.4-3]
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5).subscribe("#", 0).quiet();
  client.stop_reading();
  world.commit({created("vm", "1")});
  client.subscribe("#", 1);
  world.commit({created("vm", "2")});
  EXPECT_EQ(client.read().messages(),
            (Lines{"vm/1 + revision=1 commit=end", "q1 #1 vm/2 + revision=2 commit=end"}));
  EXPECT_EQ(world.figures().subscriptions, 1u);
}

TEST(Session, PingIsAnswered) {
  World world;
  EXPECT_EQ(world.client("c1").as_connector().connect(v3).quiet().send(Pingreq{}).hears(),
            (Lines{"PINGRESP"}));
}

TEST(Session, SilenceOfOneAndAHalfKeepAlivesEndsTheConnection) {  // [MQTT-3.1.2-22]
  World world;
  Peer& client =
      world.client("c1").as_connector().connect(v5, [](Connect& c) { c.keep_alive = 10; });
  Peer& forever = world.client("c2").as_connector().connect(v5);
  client.quiet();
  forever.quiet();
  world.pass(14s);
  client.send(Pingreq{});
  world.pass(15s);
  EXPECT_EQ(client.hears(), (Lines{"PINGRESP"}));
  world.pass(1s);
  EXPECT_EQ(client.hears(), (Lines{"DISCONNECT 0x8d", "closed"}));
  world.pass(1000h);
  EXPECT_EQ(forever.hears(), (Lines{})) << "0 is never";
  EXPECT_EQ(world.figures().closed_keep_alive, 1u);
  EXPECT_EQ(world.log().size(), 1u);
}

TEST(Session, IsNotSilentWhoseOctetsTheServerHasNotReadYet) {
  World world;
  Peer& client =
      world.client("c1").as_connector().connect(v5, [](Connect& c) { c.keep_alive = 10; });
  Peer& late = world.client("c2").open();
  world.unread = client.id();
  world.pass(16s);
  EXPECT_EQ(client.quiet().hears(), Lines{});
  client.send(Pingreq{});
  world.unread = {};
  world.pass(15s);
  EXPECT_EQ(client.hears(), (Lines{"PINGRESP"}));
  world.pass(1s);
  EXPECT_EQ(client.hears(), (Lines{"DISCONNECT 0x8d", "closed"}));
  EXPECT_EQ(late.hears(), (Lines{"closed"})) << "no CONNECT came";

  Peer& other = world.client("c3").open();
  world.unread = other.id();
  world.pass(11s);
  EXPECT_EQ(other.hears(), Lines{});
  world.unread = {};
  world.pass(1s);
  EXPECT_EQ(other.hears(), (Lines{"closed"}));
}

TEST(Session, DisconnectEndsWithoutAWord) {
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  client.send(Disconnect{});
  EXPECT_EQ(client.hears(), (Lines{"closed"}));
  EXPECT_EQ(world.figures().subscriptions, 0u);
}

TEST(Session, RaisingTheSessionExpiryFrom0InDisconnectIsAProtocolError) {  // §3.14.2.2.2
  World world;
  const Disconnect raised{Reason::success, {{PropertyId::session_expiry_interval, 1, {}, {}}}};
  Peer& client = world.client("c1").as_connector().connect(v5).quiet().send(raised);
  EXPECT_EQ(client.hears(), (Lines{"DISCONNECT 0x82", "closed"}));
  Peer& other = world.client("c1").as_connector().connect(
      v5, [](Connect& c) { c.properties.add(PropertyId::session_expiry_interval, 60); });
  EXPECT_EQ(other.quiet().send(raised).hears(), (Lines{"closed"}));
}

TEST(Session, AMalformedPacketClosesItsOwnConnectionWithTheReason) {  // [MQTT-4.13.1-1]
  World world;
  Peer& bad = world.client("c1").as_connector().connect(v5).quiet();
  Peer& old = world.client("c2").as_connector().connect(v3).quiet();
  Peer& good = world.client("c3").as_connector().connect(v5).quiet();
  EXPECT_EQ(bad.send_bytes("\x36\x05\0\1a\0\1"sv).hears(), (Lines{"DISCONNECT 0x81", "closed"}));
  EXPECT_EQ(old.send_bytes("\x36\x05\0\1a\0\1"sv).hears(), (Lines{"closed"}));
  EXPECT_EQ(good.send(Pingreq{}).hears(), (Lines{"PINGRESP"}));
  EXPECT_EQ(world.figures().closed_malformed, 2u);
}

TEST(Session, APacketOverTheLimitIsRefusedByItsHeader) {
  Limits limits;
  limits.mqtt_packet = 1000;
  World world(limits);
  Peer& client = world.client("c1").as_connector().connect(v5).quiet();
  EXPECT_EQ(client.send_bytes("\x30\xE6\x07"sv).hears(), (Lines{"DISCONNECT 0x95", "closed"}));
}

TEST(Session, PacketsThatAClientMayNotSendAreProtocolErrors) {
  World world;
  for (const Packet& packet :
       {Packet(Connack{}), Packet(Suback{1, {}, {Reason::success}}), Packet(Unsuback{1, {}, {}}),
        Packet(Pingresp{}), Packet(Auth{Reason::reauthenticate, {}})}) {  // [MQTT-4.12.0-7]
    Peer& client = world.client("c1").as_connector().connect(v5).quiet().send(packet);
    EXPECT_EQ(client.hears(), (Lines{"DISCONNECT 0x82", "closed"})) << packet.index();
  }
}

TEST(Session, AConnectorsMessagesAreDeliveredLive) {
  World world;
  Peer& hears = world.client("c1").as_connector().connect(v5).subscribe("a/#", 1).quiet();
  Peer& old = world.client("c2").as_connector().connect(v3).subscribe("a/#", 0).quiet();
  Peer& sends = world.client("c3").as_connector().connect(v5).quiet();
  EXPECT_EQ(sends.publish("a/b", "x", 1).hears(), (Lines{"PUBACK #1 0x00"}));
  EXPECT_EQ(sends.publish("a/b", "y", 0).hears(), (Lines{}));
  EXPECT_EQ(sends.publish("b", "z", 1).hears(), (Lines{"PUBACK #2 0x10"}));
  EXPECT_EQ(hears.hears(), (Lines{"q1 #1 a/b x", "a/b y"}));  // [MQTT-3.8.4-8]
  EXPECT_EQ(old.hears(), (Lines{"a/b x", "a/b y"}));
  EXPECT_EQ(world.figures().messages_in, 3u);
  EXPECT_EQ(world.figures().messages_out, 4u);
}

TEST(Session, DupIsNotCopied) {  // [MQTT-3.3.1-3]
  World world;
  Peer& client = world.client("c1").as_connector().connect(v3).subscribe("a", 1).quiet();
  client.publish("a", "x", 1, [](Publish& p) { p.dup = true; });
  EXPECT_EQ(client.hears(), (Lines{"PUBACK #2 0x00", "q1 #1 a x"}));
}

TEST(Session, NoLocalKeepsAMessageFromItsPublisher) {  // [MQTT-3.8.3-3]
  World world;
  const auto no_local = [](std::string_view filter) {
    return Subscribe{1, {}, {{filter, {QoS::at_most_once, true, false}, 0}}};
  };
  Peer& one = world.client("c1").as_connector().connect(v5).send(no_local("a/#")).quiet();
  Peer& two = world.client("c2").as_connector().connect(v5).send(no_local("a/#")).quiet();
  one.publish("a/b", "x");
  EXPECT_EQ(one.hears(), (Lines{}));
  EXPECT_EQ(two.hears(), (Lines{"a/b x"}));
}

TEST(Session, NoLocalHoldsForWhatTheClientHasRetainedAndForItsWillToo) {  // [MQTT-3.8.3-3]
  World world;
  const auto retain = [](Publish& p) { p.retain = true; };
  const auto no_local = [](std::string_view filter) {
    return Subscribe{1, {}, {{filter, {QoS::at_most_once, true, false}, 0}}};
  };
  const auto mortal = [](Connect& connect) {
    connect.clean_start = false;
    connect.properties.add(PropertyId::session_expiry_interval, 100);
    connect.will = Will{QoS::at_least_once, false, "a/will", "gone", {}};
  };
  Peer& one = world.client("c1").as_connector().connect(v5, mortal);
  Peer& two = world.client("c2").as_connector().connect(v5).publish("a/2", "of two", 0, retain);
  one.publish("a/1", "of one", 0, retain).send(no_local("a/#"));
  two.quiet().send(no_local("a/#"));
  EXPECT_EQ(one.messages(), (Lines{"retain a/2 of two"}));
  EXPECT_EQ(two.messages(), (Lines{"retain a/1 of one"}));
  one.send(Subscribe{2, {}, {{"a/+", {QoS::at_least_once, true, false}, 0}}}).quiet();
  one.hang_up();
  world.pump();
  EXPECT_EQ(two.messages(), (Lines{"a/will gone"}));
  two.publish("a/2", "x", 1);
  one.connect(v5, mortal);
  EXPECT_EQ(one.messages(), (Lines{"q1 #1 a/2 x"}));
}

TEST(Session, APublishOfASessionIsRefusedAndCounted) {
  World world;
  world.session("s1", "\"*\"");
  Peer& hears = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  Peer& five = world.client("c2").as_session("s1").connect(v5).quiet();
  Peer& three = world.client("c3").as_session("s1").connect(v3).quiet();
  EXPECT_EQ(five.publish("a", "x", 1).hears(), (Lines{"PUBACK #1 0x87"}));
  EXPECT_EQ(five.publish("a", "x", 0).hears(), (Lines{}));
  EXPECT_EQ(three.publish("a", "x", 1).hears(), (Lines{"PUBACK #1 0x00"}));
  EXPECT_EQ(hears.hears(), (Lines{}));
  EXPECT_EQ(world.figures().publishes_refused_session, 3u);
}

TEST(Session, NobodyPublishesToDollarTopicsNorBelowTooManyLevels) {
  Limits limits;
  limits.mqtt_topic_levels = 2;
  World world(limits);
  Peer& client = world.client("c1").as_connector().connect(v5);
  client.subscribe("$SYS/#").subscribe("$x").subscribe("#").quiet();
  for (const char* topic : {"$SYS/broker", "$x", "a/b/c"}) client.publish(topic, "x", 1);
  client.publish("$x", "x", 0);
  EXPECT_EQ(client.hears(), (Lines{"PUBACK #4 0x90", "PUBACK #5 0x90", "PUBACK #6 0x90"}));
  EXPECT_EQ(world.figures().publishes_refused_topic, 4u);
}

TEST(Session, ClientsMessagesAreHeardByThoseWhoMayReadEverything) {
  World world;
  world.session("all", "\"*\"");
  world.session("vms", R"({"vm":"*"})");
  Peer& all = world.client("c1").as_session("all").connect(v3).subscribe("vm/1").quiet();
  Peer& vms = world.client("c2").as_session("vms").connect(v3).subscribe("vm/1").quiet();
  world.client("c3").as_connector().connect(v3).publish("vm/1", "not an announcement");
  EXPECT_EQ(all.hears(), (Lines{"vm/1 not an announcement"}));
  EXPECT_EQ(vms.hears(), (Lines{}));
}

TEST(Session, TopicAliasesThatAreOutOfRangeOrNotSetAreRefused) {  // [MQTT-3.3.2-8 -9]
  World world;
  const auto outcome = [&](std::uint32_t alias, std::string_view topic) {
    Peer& client = world.client("c1").as_connector().connect(v5).quiet();
    client.publish(topic, "x", 0,
                   [&](Publish& p) { p.properties.add(PropertyId::topic_alias, alias); });
    return client.hears();
  };
  EXPECT_EQ(outcome(0, "a"), (Lines{"DISCONNECT 0x94", "closed"}));
  EXPECT_EQ(outcome(33, "a"), (Lines{"DISCONNECT 0x94", "closed"}));
  EXPECT_EQ(outcome(32, ""), (Lines{"DISCONNECT 0x82", "closed"}));
  EXPECT_EQ(outcome(32, "a"), (Lines{}));
}

TEST(Session, ASubscriptionIdentifierFromAClientIsAProtocolError) {  // [MQTT-3.3.4-6]
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5).quiet();
  client.publish("a", "x", 0,
                 [](Publish& p) { p.properties.add(PropertyId::subscription_identifier, 1); });
  EXPECT_EQ(client.hears(), (Lines{"DISCONNECT 0x82", "closed"}));
}

TEST(Session, AMessageIsDroppedWhenItsExpiryEndsInTheQueue) {  // [MQTT-3.3.2-5] [MQTT-3.3.2-6]
  World world;
  Peer& slow = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  Peer& sends = world.client("c2").as_connector().connect(v5);
  slow.stop_reading();
  sends.publish("blocks", "");
  const auto expiry = [](std::uint32_t seconds) {
    return
        [seconds](Publish& p) { p.properties.add(PropertyId::message_expiry_interval, seconds); };
  };
  sends.publish("short", "", 0, expiry(5)).publish("long", "", 0, expiry(60));
  world.pass(10s);
  EXPECT_EQ(slow.read().hears(), (Lines{"blocks ", "long  expiry=50"}));
  EXPECT_EQ(world.figures().dropped_expired, 1u);
}

TEST(Session, UnknownExchangesOfQoS2AreAnswered) {  // trap 38
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5).quiet();
  EXPECT_EQ(client.send(Pubrel{7, {}, {}}).hears(), (Lines{"PUBCOMP #7 0x92"}));
  EXPECT_EQ(client.send(Pubrec{7, {}, {}}).hears(), (Lines{"PUBREL #7 0x92"}));
  EXPECT_EQ(client.send(Pubcomp{7, Reason::packet_identifier_not_found, {}}).hears(), (Lines{}));
  EXPECT_EQ(client.send(Puback{7, {}, {}}).hears(), (Lines{}));
  client.subscribe("#", 1).quiet();
  world.commit({created("vm", "1")});
  client.quiet();
  EXPECT_EQ(client.send(Pubrec{1, {}, {}}).hears(), (Lines{"DISCONNECT 0x82", "closed"}));
}

TEST(Session, NoAnswerIsLargerThanTheClientsMaximum) {  // [MQTT-3.1.2-24]
  World world;
  const auto at_most = [](std::uint32_t size) {
    return [size](Connect& c) { c.properties.add(PropertyId::maximum_packet_size, size); };
  };
  Peer& tiny = world.client("c1").as_connector().connect(v5, at_most(5));
  EXPECT_EQ(tiny.hears(), (Lines{"closed"}));
  EXPECT_EQ(world.figures().closed_packet_size, 1u);
  Peer& small = world.client("c2").as_connector().connect(v5, at_most(35)).quiet();
  Subscribe subscribe{1, {}, {}};
  for (int i = 0; i < 20; ++i) subscribe.requests.push_back({"a", {}, 0});
  const std::string reasons = "SUBACK #1" + [] {
    std::string text;
    for (int i = 0; i < 20; ++i) text += " 0x00";
    return text;
  }();
  EXPECT_EQ(small.send(subscribe).hears(), (Lines{reasons})) << "without the user property";
}

TEST(Session, APacketThatComesByteByByteIsTheSame) {
  World world;
  Peer& client = world.client("c1").open();
  for (const char c :
       "\x10\x26\0\4MQTT\5\xC2\0\0\0\0\2c1\0\x09"
       "connector\0\x0Athe secret"sv) {
    client.send_bytes({&c, 1});
  }
  for (const char c : "\xC0\0\xC0\0"sv) client.send_bytes({&c, 1});
  const Lines lines = client.hears();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[2], "PINGRESP");
}

TEST(Session, WhoAsksWithoutEndAndReadsNoAnswerIsClosed) {
  Limits limits;
  limits.mqtt_queue_bytes = 1000;
  World world(limits);
  Peer& client = world.client("c1").as_connector().connect(v3).quiet();
  client.stop_reading();
  std::string pings;
  for (int i = 0; i < 2000; ++i) pings += "\xC0\0"sv;
  client.send_bytes(pings);
  EXPECT_LE(world.figures().queued_bytes, 1010u);
  EXPECT_EQ(world.figures().closed_slow, 1u);
}

}  // namespace
}  // namespace doctor::mqtt::testing
