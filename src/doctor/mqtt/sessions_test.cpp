#include <gtest/gtest.h>

#include "doctor/mqtt/test_broker.hpp"

// Sessions that outlive their connections, wills, retained messages, groups, identifiers.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;

constexpr Version v3 = Version::v3_1_1;
constexpr Version v5 = Version::v5_0;

std::function<void(Connect&)> lasting(std::uint32_t seconds = 100) {
  return [seconds](Connect& c) {
    c.clean_start = false;
    if (c.version == v5) c.properties.add(PropertyId::session_expiry_interval, seconds);
  };
}

bool present(Peer& peer) {
  const Lines heard = peer.hears();
  return !heard.empty() && heard[0].find(" present") != std::string::npos;
}

TEST(Sessions, KeepSubscriptionsAndQueueWhatIsAcknowledged) {
  for (const Version version : {v3, v5}) {
    World world;
    Peer& client = world.client("c").as_connector().connect(version, lasting());
    client.subscribe("vm/#", 1).subscribe("x", 0).quiet().hang_up();
    Peer& sends = world.client("s").as_connector().connect(v5);
    sends.publish("vm/a", "of a client", 1);
    sends.publish("x", "QoS 0", 1);
    client.connect(version, lasting());
    EXPECT_EQ(client.messages(), (Lines{"q1 #1 vm/a of a client"}));
    sends.publish("x", "live");
    EXPECT_EQ(client.hears(), (Lines{"x live"}));
  }
}

TEST(Sessions, HearEveryAnnouncementThatTheyMissed) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting()).subscribe("#", 1).quiet();
  world.commit({created("vm", "1")});
  client.quiet().acknowledge(1).hang_up();
  world.commit({updated("vm", "1", {"a"}), created("vm", "2")});
  world.commit({removed("vm", "1")});
  client.connect(v5, lasting());
  EXPECT_EQ(client.messages(),
            (Lines{"q1 #2 vm/1 a revision=2", "q1 #3 vm/2 + revision=2 commit=end",
                   "q1 #4 vm/1 - revision=3 commit=end"}));
  world.commit({removed("vm", "2")});
  EXPECT_EQ(client.hears(), (Lines{"q1 #5 vm/2 - revision=4 commit=end"}));
}

TEST(Sessions, MissAnnouncementsAtQoS0) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting());
  client.subscribe("vm/+", 0).subscribe("host/+", 1).quiet().hang_up();
  world.commit({created("vm", "1"), created("host", "1")});
  client.connect(v5, lasting());
  EXPECT_EQ(client.messages(), (Lines{"q1 #1 host/1 + revision=1 commit=end"}));
  world.commit({created("vm", "2")});
  EXPECT_EQ(client.hears(), (Lines{"vm/2 + revision=2 commit=end"}));
}

TEST(Sessions, EndRatherThanGoOnWithAGap) {
  Limits limits;
  limits.mqtt_backlog_bytes = 0;
  World world(limits);
  Peer& client = world.client("c").as_connector().connect(v5, lasting()).subscribe("#", 1);
  client.quiet().hang_up();
  for (int i = 0; i < 3; ++i) world.commit({created("vm", std::to_string(i))});
  world.log_begins = 3;
  client.connect(v5, lasting());
  EXPECT_FALSE(present(client));
}

TEST(Sessions, EndAtTheirExpiryOrACleanStart) {  // [MQTT-4.1.0-2] [MQTT-3.1.2-4]
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting(10));
  client.quiet().hang_up();
  world.pass(9s);
  client.connect(v5, lasting(10));
  EXPECT_TRUE(present(client));
  client.hang_up();
  world.pass(11s);
  client.connect(v5, lasting(10));
  EXPECT_FALSE(present(client));
  client.hang_up();
  client.connect(v5);
  EXPECT_FALSE(present(client));
  client.hang_up();
  client.connect(v5, lasting(10));
  EXPECT_FALSE(present(client)) << "the expiry of the clean one was 0";
  EXPECT_EQ(world.figures().sessions_away, 0u);
}

TEST(Sessions, OfAnotherPrincipalAreNotResumed) {
  World world;
  world.session("s1", "\"*\"");
  Peer& first = world.client("c").as_connector().connect(v5, lasting());
  first.quiet().hang_up();
  Peer& other = world.client("c").as_session("s1").connect(v5, lasting());
  EXPECT_FALSE(present(other));
}

TEST(Sessions, AreJudgedByThePermissionsThenAndNow) {
  World world;
  world.session("s", R"({"vm":["1","2"]})");
  Peer& client = world.client("c").as_session("s").connect(v5, lasting()).subscribe("#", 1);
  client.quiet().hang_up();
  world.commit({created("vm", "1"), created("vm", "2"), created("vm", "3")});
  world.commit({}, {world.edit("s", R"({"vm":["2","3"]})")});
  world.commit({updated("vm", "3", {"a"})});
  client.connect(v5, lasting());
  EXPECT_EQ(client.messages(),
            (Lines{"q1 #1 vm/2 + revision=1 commit=end", "q1 #2 vm/3 a revision=3 commit=end"}));
}

TEST(Sessions, GoWithTheSessionOfDoctor) {
  World world;
  world.session("s", "\"*\"");
  Peer& client = world.client("c").as_session("s").connect(v5, lasting());
  client.quiet().hang_up();
  EXPECT_EQ(world.figures().sessions_away, 1u);
  world.commit({}, {world.remove_session("s")});
  EXPECT_EQ(world.figures().sessions_away, 0u);
}

TEST(Sessions, NoMoreAreKeptThanTheirBound) {
  Limits limits;
  limits.mqtt_sessions = 1;
  World world(limits);
  for (const char* id : {"a", "b"}) {
    world.client(id).as_connector().connect(v5, lasting()).quiet().hang_up();
  }
  EXPECT_EQ(world.figures().sessions_away, 1u);
  EXPECT_EQ(world.figures().sessions_ended_too_many, 1u);
}

TEST(Sessions, TheLongestExpiryIsBoundedAndTold) {
  Limits limits;
  limits.mqtt_session_expiry_max = 60s;
  World world(limits);
  Peer& client = world.client("c").as_connector().connect(v5, lasting(0xFFFF'FFFF));
  EXPECT_NE(client.hears().at(0).find("session_expiry=60"), std::string::npos);
}

// -- wills ----------------------------------------------------------------------------------------

std::function<void(Connect&)> with_will(std::uint32_t delay = 0, std::uint32_t expiry = 0) {
  return [=](Connect& c) {
    c.will = Will{QoS::at_least_once, false, "gone", "c", {}};
    if (delay != 0) c.will->properties.add(PropertyId::will_delay_interval, delay);
    if (expiry != 0) c.properties.add(PropertyId::session_expiry_interval, expiry);
    c.clean_start = expiry == 0;
  };
}

class Wills : public ::testing::Test {
 protected:
  World world;
  Peer& hears = world.client("r").as_connector().connect(v5).subscribe("gone").quiet();
  Peer& client = world.client("c").as_connector();
};

TEST_F(Wills, ArePublishedAtEveryEndButANormalDisconnect) {  // [MQTT-3.1.2-8] [MQTT-3.14.4-3]
  client.connect(v5, with_will()).hang_up();
  world.pump();
  EXPECT_EQ(hears.hears(), (Lines{"gone c"}));
  client.connect(v5, with_will()).send(Disconnect{});
  EXPECT_EQ(hears.hears(), (Lines{}));
  client.connect(v5, with_will()).send(Disconnect{Reason::disconnect_with_will, {}});
  EXPECT_EQ(hears.hears(), (Lines{"gone c"}));
  client.connect(v5, with_will()).publish("bad/#", "malformed");
  EXPECT_EQ(hears.hears(), (Lines{"gone c"}));
  client.connect(v3, with_will()).hang_up();
  world.pump();
  EXPECT_EQ(hears.hears(), (Lines{"gone c"}));
}

TEST_F(Wills, WaitForTheirDelayAndAReconnectionCancelsThem) {  // [MQTT-3.1.3-9]
  client.connect(v5, with_will(10, 100)).hang_up();
  world.pump();
  world.pass(9s);
  EXPECT_EQ(hears.hears(), (Lines{}));
  client.connect(v5, with_will(10, 100));
  world.pass(20s);
  EXPECT_EQ(hears.hears(), (Lines{}));
  client.hang_up();
  world.pump();
  world.pass(11s);
  EXPECT_EQ(hears.hears(), (Lines{"gone c"}));
  world.pass(200s);
  EXPECT_EQ(hears.hears(), (Lines{})) << "once";
}

TEST_F(Wills, AreNotLaterThanTheEndOfTheSession) {
  client.connect(v5, with_will(100, 10)).hang_up();
  world.pump();
  world.pass(11s);
  EXPECT_EQ(hears.hears(), (Lines{"gone c"}));
  client.connect(v5, with_will(100, 100)).hang_up();
  world.pump();
  client.connect(v5);  // a clean start ends the session
  EXPECT_EQ(hears.hears(), (Lines{"gone c"}));
}

TEST_F(Wills, ArePublishedWhenTheClientIsTakenOver) {
  client.connect(v5, with_will());
  world.client("c").as_connector().connect(v5);
  EXPECT_EQ(hears.hears(), (Lines{"gone c"}));
}

// -- retained messages ----------------------------------------------------------------------------

void retain(Publish& publish) {
  publish.retain = true;
}

TEST(RetainedMessages, AreHeardByNewSubscribersWithTheFlagAndLiveWithoutIt) {  // [MQTT-3.3.1-8 -12]
  World world;
  Peer& live = world.client("l").as_connector().connect(v5).subscribe("#", 1).quiet();
  Peer& sends = world.client("s").as_connector().connect(v5).quiet();
  sends.publish("a/b", "x", 1, retain);
  EXPECT_EQ(live.hears(), (Lines{"q1 #1 a/b x"}));
  Peer& late = world.client("n").as_connector().connect(v3).quiet().subscribe("a/+", 2);
  EXPECT_EQ(late.hears(), (Lines{"SUBACK #1 0x02", "q1 #1 retain a/b x"}));
  sends.publish("a/b", "", 0, retain);
  EXPECT_EQ(live.hears(), (Lines{"a/b "})) << "heard live, too [MQTT-3.3.1-6]";
  Peer& later = world.client("o").as_connector().connect(v3).quiet().subscribe("#");
  EXPECT_EQ(later.hears(), (Lines{"SUBACK #1 0x00"}));
}

TEST(RetainedMessages, FollowRetainHandling) {  // [MQTT-3.3.1-9 -10 -11]
  World world;
  world.client("s").as_connector().connect(v5).publish("a", "x", 0, retain);
  Peer& client = world.client("c").as_connector().connect(v5).quiet();
  const auto subscribe = [&](int handling) {
    Subscribe packet{1, {}, {{"a", {}, static_cast<std::uint8_t>(handling)}}};
    Lines heard = client.send(packet).hears();
    return heard.size() == 2;
  };
  EXPECT_FALSE(subscribe(2));
  EXPECT_FALSE(subscribe(1)) << "the subscription was there";
  EXPECT_TRUE(subscribe(0));
  client.unsubscribe("a").quiet();
  EXPECT_TRUE(subscribe(1));
}

TEST(RetainedMessages, AreReadAtThePaceOfTheClient) {
  Limits limits;
  limits.mqtt_queue_messages = 10;
  World world(limits);
  Peer& sends = world.client("s").as_connector().connect(v5);
  for (int i = 0; i < 1000; ++i) sends.publish("a/" + std::to_string(i), "x", 0, retain);
  world.output_max = 100;
  Peer& client = world.client("c").as_connector().connect(v3).quiet().subscribe("#");
  EXPECT_EQ(client.messages().size(), 1000u);
  EXPECT_EQ(world.figures().dropped_queue_full, 0u);
}

TEST(RetainedMessages, ComeAfterWhatWasQueuedBeforeTheSubscription) {  // [MQTT-4.6.0-6]
  World world;
  Peer& sends = world.client("s").as_connector().connect(v5);
  Peer& client = world.client("c").as_connector().connect(v3).subscribe("#").quiet();
  client.stop_reading();
  sends.publish("a/b", "blocks");
  for (const char* payload : {"1", "2"}) sends.publish("a/b", payload, 0, retain);
  client.subscribe("#");
  sends.publish("a/c", "3");
  EXPECT_EQ(client.read().messages(),
            (Lines{"a/b blocks", "a/b 1", "a/b 2", "retain a/b 2", "a/c 3"}));
}

TEST(RetainedMessages, AreForThoseWhoMayHearEverything) {
  World world;
  world.session("vm", R"({"vm":"*"})");
  world.session("all", "\"*\"");
  world.client("s").as_connector().connect(v5).publish("vm/1", "x", 0, retain);
  EXPECT_EQ(world.client("a").as_session("vm").connect(v3).quiet().subscribe("#").messages(),
            (Lines{}));
  EXPECT_EQ(world.client("b").as_session("all").connect(v3).quiet().subscribe("#").messages(),
            (Lines{"retain vm/1 x"}));
}

TEST(RetainedMessages, OverTheirBoundsAreNotKeptAndThePublisherIsTold) {
  Limits limits;
  limits.mqtt_retained_messages = 1;
  World world(limits);
  Peer& sends = world.client("s").as_connector().connect(v5).quiet();
  sends.publish("a", "x", 1, retain);
  sends.publish("b", "x", 1, retain);
  EXPECT_EQ(sends.hears(), (Lines{"PUBACK #1 0x10", "PUBACK #2 0x97"}));
  EXPECT_EQ(world.figures().dropped_retained, 1u);
  EXPECT_EQ(world.figures().retained, 1u);
}

TEST(SystemTopics, StandUnderTheirOwnNameForThoseWhoMayHearEverything) {
  World world;
  world.session("vm", R"({"vm":"*"})");
  world.broker().publish_figures("1.2", world.now());
  Peer& client = world.client("c").as_connector().connect(v3).quiet();
  EXPECT_EQ(client.subscribe("$SYS/broker/version").messages(),
            (Lines{"retain $SYS/broker/version Doctor 1.2"}));
  client.subscribe("$SYS/broker/clients/+").quiet();
  world.client("d").as_connector().connect(v3);
  world.pass(11s);
  EXPECT_EQ(client.messages(),
            (Lines{"$SYS/broker/clients/connected 2", "$SYS/broker/clients/total 2"}));
  EXPECT_EQ(client.unsubscribe("$SYS/broker/clients/+").subscribe("#").messages(), (Lines{}));
  Peer& session = world.client("s").as_session("vm").connect(v3).quiet();
  EXPECT_EQ(session.subscribe("$SYS/#").messages(), (Lines{}));
}

// -- shared subscriptions, identifiers, aliases ---------------------------------------------------

TEST(SharedSubscriptions, EachMessageGoesToOneMemberWhoIsThere) {  // §4.8.2
  World world;
  Peer& one = world.client("1").as_connector().connect(v5, lasting());
  Peer& two = world.client("2").as_connector().connect(v3);
  for (Peer* peer : {&one, &two}) peer->subscribe("$share/g/#", 1).quiet();
  Peer& sends = world.client("s").as_connector().connect(v5);
  for (int i = 0; i < 4; ++i) sends.publish("a/b", std::to_string(i));
  EXPECT_EQ(one.messages().size(), 2u);
  EXPECT_EQ(two.messages().size(), 2u);
  one.hang_up();
  world.commit({created("vm", "1"), created("vm", "2")});
  EXPECT_EQ(two.messages().size(), 2u);
  two.hang_up();
  sends.publish("a/b", "nobody");
  EXPECT_EQ(world.figures().dropped_no_member, 1u);
  one.connect(v5, lasting());
  EXPECT_EQ(one.messages(), (Lines{})) << "who is away gets nothing";
}

TEST(SharedSubscriptions, OfDifferentPrincipalsAreDifferent) {
  World world;
  world.session("s", "\"*\"");
  Peer& one = world.client("1").as_connector().connect(v3).subscribe("$share/g/a").quiet();
  Peer& two = world.client("2").as_session("s").connect(v3).subscribe("$share/g/a").quiet();
  world.client("p").as_connector().connect(v5).publish("a", "x");
  EXPECT_EQ(one.hears(), (Lines{"a x"}));
  EXPECT_EQ(two.hears(), (Lines{"a x"}));
}

TEST(SharedSubscriptions, AMalformedShareIsRefused) {  // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
  World world;
  Peer& client = world.client("1").as_connector().connect(v3).quiet();
  for (const char* filter : {"$share", "$share/", "$share/g", "$share//a", "$share/g/"}) {
    EXPECT_NE(client.subscribe(filter).hears().at(0).find("0x80"), std::string::npos) << filter;
  }
}

TEST(SubscriptionIdentifiers, OfAllMatchingFiltersComeWithOneCopy) {  // [MQTT-3.3.4-4]
  World world;
  Peer& client = world.client("c").as_connector().connect(v5);
  for (const auto& [filter, id] : {std::pair{"a/#", 7u}, std::pair{"a/b", 9u}}) {
    Subscribe packet{1, {}, {{filter, {}, 0}}};
    packet.properties.add(PropertyId::subscription_identifier, id);
    client.send(packet);
  }
  client.quiet();
  world.commit({created("a", "b")});
  const std::string heard = client.hears().at(0);
  EXPECT_NE(heard.find("subscription_id=7"), std::string::npos) << heard;
  EXPECT_NE(heard.find("subscription_id=9"), std::string::npos) << heard;
}

TEST(TopicAliases, AreUsedAsFarAsTheClientAllows) {  // [MQTT-3.1.2-26]
  World world;
  Peer& client = world.client("c").as_connector().connect(
      v5, [](Connect& c) { c.properties.add(PropertyId::topic_alias_maximum, 1); });
  client.subscribe("#").quiet();
  Peer& sends = world.client("s").as_connector().connect(v5);
  for (const char* topic : {"a", "a", "b"}) sends.publish(topic, "x");
  EXPECT_EQ(client.hears(), (Lines{"a x alias=1", " x alias=1", "b x"}));
}

}  // namespace
}  // namespace doctor::mqtt::testing
