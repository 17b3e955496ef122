#include <gtest/gtest.h>

#include "doctor/mqtt/test_broker.hpp"

// Page 3: what survives the process, killed at any moment.
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

TEST(Persistence, SessionsKeepTheirSubscriptions) {
  for (const Version version : {v3, v5}) {
    World world;
    Peer& client = world.client("c").as_connector().connect(version, lasting());
    client.subscribe("vm/#", 1).subscribe("x/x", 0).subscribe("y/y", 2).unsubscribe("y/y").quiet();
    world.crash();
    client.connect(version, lasting());
    EXPECT_TRUE(present(client));
    world.commit({created("vm", "1")});
    client.publish("x/x", "X").publish("y/y", "Y");
    EXPECT_EQ(
        client.messages(),
        (Lines{version == v5 ? "q1 #1 vm/1 + revision=1 commit=end" : "q1 #1 vm/1 +", "x/x X"}));
  }
}

TEST(Persistence, SessionsThatEndWithTheirConnectionAreGone) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5).subscribe("#", 1).quiet();
  world.crash();
  client.connect(v5, lasting());
  EXPECT_FALSE(present(client));
  EXPECT_EQ(world.figures().subscriptions, 0u);
}

TEST(Persistence, AnnouncementsWhileTheServerWasDownAreHeard) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting()).subscribe("#", 1).quiet();
  world.commit({created("vm", "1")});
  client.quiet().acknowledge(1);
  world.commit_silently({created("vm", "2"), created("vm", "3")});  // durable, not yet told
  world.crash();
  world.commit({removed("vm", "1")});
  client.connect(v5, lasting());
  EXPECT_EQ(client.messages(),
            (Lines{"q1 #2 vm/2 + revision=2", "q1 #3 vm/3 + revision=2 commit=end",
                   "q1 #4 vm/1 - revision=3 commit=end"}));
}

TEST(Persistence, WhatWasSentAndNotAcknowledgedComesAgainWithItsIdentifier) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting()).subscribe("#", 1).quiet();
  world.commit({created("vm", "1")});
  world.commit({created("vm", "2")});
  EXPECT_EQ(client.messages(),
            (Lines{"q1 #1 vm/1 + revision=1 commit=end", "q1 #2 vm/2 + revision=2 commit=end"}));
  client.acknowledge(1);
  world.crash();
  client.connect(v5, lasting());
  EXPECT_EQ(client.messages(), (Lines{"q1 #2 dup vm/2 + revision=2 commit=end"}));
  world.commit({created("vm", "3")});
  EXPECT_EQ(client.messages(), (Lines{"q1 #3 vm/3 + revision=3 commit=end"}));
}

// Each step of the exchange in turn is the last one before the crash.
TEST(Persistence, AMessageOfQoS2IsNeverDeliveredTwice) {
  for (int steps = 0; steps <= 3; ++steps) {
    SCOPED_TRACE(steps);
    World world;
    Peer& client =
        world.client("c").as_connector().connect(v5, lasting()).subscribe("#", 2).quiet();
    world.writes_state = steps > 0;
    world.commit({created("vm", "1")});
    if (steps == 0) {
      EXPECT_EQ(client.hears(), Lines{}) << "nothing is sent before it is durable";
    } else {
      EXPECT_EQ(client.hears(), (Lines{"q2 #1 vm/1 + revision=1 commit=end"}));
    }
    if (steps >= 2) {
      world.writes_state = steps > 2;
      client.send(Pubrec{1, Reason::success, {}});
      EXPECT_EQ(client.hears(), steps > 2 ? Lines{"PUBREL #1 0x00"} : Lines{})
          << "PUBREL lets the client forget the identifier";
    }
    world.writes_state = true;
    world.crash();
    client.connect(v5, lasting());
    Lines heard = client.hears();
    ASSERT_EQ(heard.size(), 2u);
    heard.erase(heard.begin());
    const Lines expected[] = {{"q2 #1 vm/1 + revision=1 commit=end"},
                              {"q2 #1 dup vm/1 + revision=1 commit=end"},
                              {"q2 #1 dup vm/1 + revision=1 commit=end"},
                              {"PUBREL #1 0x00"}};
    EXPECT_EQ(heard, expected[steps]);
  }
}

TEST(Persistence, AMessageOfQoS2IsNeverTakenTwice) {
  World world;
  Peer& hears = world.client("h").as_connector().connect(v5, lasting()).subscribe("#", 1).quiet();
  hears.hang_up();
  Peer& client = world.client("c").as_connector().connect(v5, lasting()).quiet();
  Publish publish;
  publish.qos = QoS::exactly_once;
  publish.packet_id = 7;
  publish.topic = "t/t";
  publish.payload = "p";
  world.writes_state = false;
  client.send(publish);
  EXPECT_EQ(client.hears(), Lines{}) << "nothing is acknowledged before it is durable";
  world.crash();
  world.writes_state = true;
  client.connect(v5, lasting()).quiet();
  client.send(publish);
  EXPECT_EQ(client.hears(), (Lines{"PUBREC #7 0x00"}));
  world.crash();
  client.connect(v5, lasting()).quiet();
  client.send(publish);
  EXPECT_EQ(client.hears(), (Lines{"PUBREC #7 0x00"}));
  client.send(Pubrel{7, Reason::success, {}});
  EXPECT_EQ(client.hears(), (Lines{"PUBCOMP #7 0x00"}));
  world.crash();
  client.connect(v5, lasting()).quiet();
  client.send(publish);
  hears.connect(v5, lasting());
  EXPECT_EQ(hears.messages(), (Lines{"q1 #1 t/t p", "q1 #2 t/t p"})) << "two, the second a new one";
}

TEST(Persistence, MessagesOfClientsWaitForAbsentSessions) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting());
  client.subscribe("#", 2).quiet().hang_up();
  Peer& sends = world.client("s").as_connector().connect(v5).quiet();
  world.writes_state = false;
  sends.publish("/a", "lost", 1);
  EXPECT_EQ(sends.hears(), Lines{}) << "not acknowledged before it is durable";
  world.crash();
  world.writes_state = true;
  sends.connect(v5).quiet();
  sends.publish("/a", "1", 1).publish("/b", "QoS 0").publish("/c", "2", 2);
  world.crash();
  client.connect(v5, lasting());
  EXPECT_EQ(client.messages(), (Lines{"q1 #1 /a 1", "q2 #2 /c 2"}));
}

TEST(Persistence, RetainedMessagesStayAndRemovedOnesStayRemoved) {
  const auto retain = [](Publish& p) { p.retain = true; };
  World world;
  Peer& client = world.client("c").as_connector().connect(v5);
  client.publish("/a", "old", 0, retain).publish("/a", "new", 0, retain);
  client.publish("/b", "B", 0, retain).publish("/b", "", 0, retain);
  client.publish("/c", "expires", 1, [](Publish& p) {
    p.retain = true;
    p.properties.add(PropertyId::message_expiry_interval, 10);
  });
  world.pass(3s);
  world.crash();
  client.connect(v5).quiet().subscribe("#");
  EXPECT_EQ(client.messages(), (Lines{"retain /a new", "retain /c expires expiry=7"}));
  client.publish("/a", "", 0, retain);
  world.pass(8s);
  world.crash();
  client.connect(v5).quiet().subscribe("#");
  EXPECT_EQ(client.messages(), Lines{});
  EXPECT_EQ(world.figures().retained, 0u);
}

TEST(Persistence, WhoRetainedAMessageIsStillKnown) {  // [MQTT-3.8.3-3]
  World world;
  Peer& client = world.client("c").as_connector().connect(v5);
  client.publish("/a", "own", 0, [](Publish& p) { p.retain = true; });
  world.crash();
  client.connect(v5).quiet();
  client.send(Subscribe{1, {}, {{"/a", {QoS::at_most_once, true, false}, 0}}});
  EXPECT_EQ(client.messages(), Lines{});
  client.subscribe("/a");
  EXPECT_EQ(client.messages(), Lines{"retain /a own"});
}

TEST(Persistence, WillsAreDueAfterACrash) {
  World world;
  Peer& hears = world.client("h").as_connector().connect(v5, lasting()).subscribe("#", 1).quiet();
  const auto will = [](std::string_view topic, std::uint32_t expiry, std::uint32_t delay) {
    return [=](Connect& c) {
      c.properties.add(PropertyId::session_expiry_interval, expiry);
      Will& made = c.will.emplace();
      made.topic = topic;
      made.payload = "gone";
      made.qos = QoS::at_least_once;
      made.properties.add(PropertyId::will_delay_interval, delay);
    };
  };
  world.client("a").as_connector().connect(v5, will("/at-once", 0, 60));
  world.client("b").as_connector().connect(v5, will("/later", 100, 60));
  Peer& third = world.client("c").as_connector().connect(v5, will("/waits", 100, 60));
  third.hang_up();
  Peer& tidy = world.client("d").as_connector().connect(v5, will("/never", 0, 0));
  tidy.send(Disconnect{});
  world.pass(40s);
  world.crash();
  world.pass(1s);
  hears.connect(v5, lasting());
  EXPECT_EQ(hears.messages(), (Lines{"q1 #1 /at-once gone"}));
  world.pass(21s);
  EXPECT_EQ(hears.messages(), (Lines{"q1 #2 /waits gone"}));
  world.pass(40s);
  EXPECT_EQ(hears.messages(), (Lines{"q1 #3 /later gone"}));
}

// Its will was taken for the session's, which so was given out again as present.
TEST(Persistence, ASessionThatEndsWithItsConnectionLeavesOnlyItsWillBehind) {
  World world;
  Peer& hears = world.client("h").as_connector().connect(v5, lasting()).subscribe("#", 1).quiet();
  Peer& client = world.client("c").as_connector();
  client.connect(v5, [](Connect& c) {
    c.will = Will{QoS::at_least_once, false, "gone/c", "x", {}};
    c.will->properties.add(PropertyId::will_delay_interval, 50);
  });
  world.crash();
  hears.connect(v5, lasting());
  EXPECT_EQ(hears.messages(), (Lines{"q1 #1 gone/c x"}));
  client.connect(v5, lasting());
  EXPECT_FALSE(present(client));
}

// The message was given up twice, so that the record of the retained one led nowhere and nothing at
// all could be restored.
TEST(Persistence, ASessionThatNoLongerLastsGivesUpWhatItHeldOnce) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting());
  client.publish("a/b", "kept", 1, [](Publish& p) { p.retain = true; });
  client.subscribe("a/b", 1).hang_up();
  client.connect(v5, [](Connect& c) {
    c.clean_start = false;
    c.will = Will{};
    c.will->topic = "will";
  });
  client.quiet().acknowledge(1).hang_up();
  world.crash();
  Peer& hears = world.client("h").as_connector().connect(v5).subscribe("a/#");
  EXPECT_EQ(hears.messages(), (Lines{"retain a/b kept"}));
}

// That it had a place of its own was not recorded as long as nothing of QoS 1 waited for it.
TEST(Persistence, WhoIsBehindBecauseOfQoS0GoesOnFromTheirPlace) {
  Limits limits;
  limits.mqtt_queue_messages = 8;
  World world(limits);
  Peer& client = world.client("c").as_connector().connect(v5, lasting());
  const auto retained = [](Publish& p) { p.retain = true; };  // so the state is written
  client.subscribe("host/+", 0).subscribe("vm/+", 1).publish("elsewhere", "x", 1, retained);
  client.quiet().stop_reading();
  for (int i = 0; i < 20; ++i) world.commit({created("host", std::to_string(i))});
  world.commit({created("vm", "1")});
  client.publish("elsewhere", "y", 1, retained);
  world.crash();
  client.connect(v5, lasting());
  EXPECT_EQ(client.messages(), (Lines{"q1 #1 vm/1 + revision=21 commit=end"}));
}

TEST(Persistence, AnAbsentSessionGoesOnExpiring) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting(100)).subscribe("#", 1);
  client.quiet().hang_up();
  world.pass(60s);
  world.crash();
  world.pass(41s);
  client.connect(v5, lasting());
  EXPECT_FALSE(present(client));
}

// Time may have passed that no tick has told of.
TEST(Persistence, ASessionThatHasExpiredIsNotResumed) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting(100)).subscribe("#", 1);
  client.quiet().hang_up();
  world.pass_unnoticed(101s);
  client.connect(v5, lasting(100));
  EXPECT_FALSE(present(client));
  client.hang_up();
  world.write_state();
  world.pass_unnoticed(101s);
  world.crash();
  client.connect(v5, lasting(100));
  EXPECT_FALSE(present(client));
}

// The disk may take its time, or be full.
TEST(Persistence, WhatNeedsNoRecordDoesNotWaitForOthers) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting()).subscribe("#", 0).quiet();
  world.writes_state = false;
  const auto retain = [](Publish& p) { p.retain = true; };
  client.publish("t", "1", 1, retain);
  EXPECT_EQ(client.hears(), Lines{"t 1"}) << "a message at QoS 0, but not its PUBACK";
  client.send(Pingreq{});
  EXPECT_EQ(client.hears(), Lines{"PINGRESP"});
  client.publish("t", "2", 1, retain).send(Pingreq{});
  world.commit({created("vm", "1")});
  EXPECT_EQ(client.hears(), (Lines{"t 2", "PINGRESP", "vm/1 + revision=1 commit=end"}));
  world.write_state();
  world.pump();
  EXPECT_EQ(client.hears(), (Lines{"PUBACK #2 0x00", "PUBACK #3 0x00"}));
}

TEST(Persistence, NothingPrecedesConnackNorMessagesTheirSuback) {
  World world;
  world.client("s").as_connector().connect(v5).publish("t", "kept", 0,
                                                       [](Publish& p) { p.retain = true; });
  world.writes_state = false;
  Peer& client = world.client("c").as_connector().connect(v5, lasting());
  client.send(Pingreq{}).subscribe("t", 0);
  EXPECT_EQ(client.hears(), Lines{});
  world.write_state();
  world.pump();
  Lines heard = client.hears();
  ASSERT_EQ(heard.size(), 4u);
  EXPECT_EQ(heard[0].substr(0, 7), "CONNACK");
  EXPECT_EQ(heard[1], "PINGRESP");
  EXPECT_EQ(heard[2].substr(0, 6), "SUBACK");
  EXPECT_EQ(heard[3], "retain t kept");
}

TEST(Persistence, AConnectionThatEndsBeforeItsConnackIsDurableGetsNothing) {
  World world;
  world.writes_state = false;
  Peer& client = world.client("c").as_connector().connect(v5, lasting());
  world.broker().shut_down();
  world.pump();
  EXPECT_EQ(client.hears(), Lines{"closed"});
}

TEST(Persistence, ChangesAreJudgedByThePermissionsOfTheirRevision) {
  World world;
  world.session("s", R"({"vm":["1"]})");
  Peer& client = world.client("c").as_session("s").connect(v5, lasting()).subscribe("#", 1);
  client.quiet().hang_up();
  world.commit({created("vm", "1"), created("vm", "2")});
  world.commit({}, {world.edit("s", R"({"vm":"*"})")});
  world.commit({created("vm", "3")});
  world.crash();
  client.connect(v5, lasting());
  EXPECT_EQ(client.messages(),
            (Lines{"q1 #1 vm/1 + revision=1 commit=end", "q1 #2 vm/3 + revision=3 commit=end"}));
}

TEST(Persistence, AnEditThatTheCrashHidesEndsTheSession) {
  World world;
  world.session("s", R"({"vm":["1"]})");
  Peer& client = world.client("c").as_session("s").connect(v5, lasting()).subscribe("#", 1);
  client.quiet().hang_up();
  world.commit_silently({}, {world.edit("s", R"({"vm":"*"})")});
  world.crash();
  client.connect(v5, lasting());
  EXPECT_FALSE(present(client));
}

TEST(Persistence, TheStateOfADeletedSessionIsGone) {
  World world;
  world.session("s", R"("*")");
  Peer& client = world.client("c").as_session("s").connect(v5, lasting()).subscribe("#", 1);
  client.quiet();
  world.remove_session("s");
  world.crash();
  EXPECT_EQ(world.figures().sessions_away, 0u);
  EXPECT_EQ(world.figures().subscriptions, 0u);
}

TEST(Persistence, SessionsThatEndLeaveNoRecordBehind) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting());
  client.subscribe("#", 2).quiet();
  world.commit({created("vm", "1")});
  client.send(Pubrec{1, Reason::success, {}});
  client.publish("t", "p", 2).hang_up();
  world.client("s").as_connector().connect(v5).publish("t", "waits", 1);
  EXPECT_GT(world.records(), 4u);
  client.connect(v5);  // clean start
  EXPECT_EQ(world.records(), 1u) << "how far commits have been matched";
}

TEST(Persistence, ADiskThatTakesNothingCostsABoundedMemory) {
  Limits limits;
  limits.mqtt_state_waiting = 10'000;
  World world(limits);
  Peer& absent = world.client("a").as_connector().connect(v5, lasting()).subscribe("#", 2);
  absent.quiet().hang_up();
  Peer& newer = world.client("n").as_connector().connect(v5).quiet();
  Peer& older = world.client("o").as_connector().connect(v3).quiet();
  world.writes_state = false;
  for (int i = 0; i < 20; ++i) newer.publish("/a", std::string(1000, 'x'), 1);
  EXPECT_GT(world.figures().publishes_refused_state, 5u);
  older.publish("/a", "QoS 0").publish("/a", "QoS 1", 1);
  EXPECT_EQ(older.hears(), (Lines{"closed"})) << "which is the word that 3.1.1 has";
  EXPECT_EQ(newer.hears(), Lines{});
  world.writes_state = true;
  world.pump();
  const Lines heard = newer.hears();
  ASSERT_EQ(heard.size(), 20u);
  EXPECT_EQ(heard.front().substr(0, 14), "PUBACK #1 0x00");
  EXPECT_EQ(heard.back().substr(0, 15), "PUBACK #20 0x97");
  newer.publish("/a", "again", 1);
  EXPECT_EQ(newer.hears(), (Lines{"PUBACK #21 0x00"}));
}

TEST(Persistence, AClientThatFillsItsOwnQueueIsClosed) {
  Limits limits;
  limits.mqtt_queue_messages = 3;
  limits.mqtt_inflight = 10;
  World world(limits);
  Peer& client = world.client("c").as_connector().connect(v5, lasting()).subscribe("#", 1);
  client.quiet().stop_reading();
  world.writes_state = false;
  for (int i = 0; i < 20; ++i) client.publish("/a", "x", 1);
  client.read();
  EXPECT_EQ(world.figures().closed_slow, 1u);
}

TEST(Persistence, WhatDoesNotLastCostsNoRecord) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5).subscribe("#", 2);
  world.commit({created("vm", "1")});
  client.publish("t", "p", 1).publish("t", "p", 2).hang_up();
  EXPECT_EQ(world.records(), 0u);
}

}  // namespace
}  // namespace doctor::mqtt::testing
