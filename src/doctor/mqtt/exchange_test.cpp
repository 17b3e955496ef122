#include <gtest/gtest.h>

#include "doctor/mqtt/test_broker.hpp"

// QoS 1 and 2: exchanges, both ways, over connections that end.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;

constexpr Version v3 = Version::v3_1_1;
constexpr Version v5 = Version::v5_0;

void lasting(Connect& connect) {
  connect.clean_start = false;
  if (connect.version == v5) connect.properties.add(PropertyId::session_expiry_interval, 100);
}

Pubrec pubrec(std::uint16_t id, Reason reason = Reason::success) {
  return {id, reason, {}};
}

TEST(QoS2, IsDeliveredOnceHoweverOftenItIsSentBeforeItsRelease) {  // [MQTT-4.3.3-10]
  World world;
  Peer& hears = world.client("r").as_connector().connect(v5).subscribe("#", 2).quiet();
  Peer& sends = world.client("s").as_connector().connect(v5).quiet();
  const auto same = [](Publish& p) { p.packet_id = 7; };
  EXPECT_EQ(sends.publish("a", "x", 2, same).hears(), (Lines{"PUBREC #7 0x00"}));
  EXPECT_EQ(sends.publish("a", "x", 2, same).hears(), (Lines{"PUBREC #7 0x00"}));
  EXPECT_EQ(sends.send(Pubrel{7, {}, {}}).hears(), (Lines{"PUBCOMP #7 0x00"}));
  EXPECT_EQ(sends.send(Pubrel{7, {}, {}}).hears(), (Lines{"PUBCOMP #7 0x92"}));
  EXPECT_EQ(sends.publish("a", "y", 2, same).hears(), (Lines{"PUBREC #7 0x00"}));
  EXPECT_EQ(hears.hears(), (Lines{"q2 #1 a x", "q2 #2 a y"}));
}

TEST(QoS2, WhatTheClientHasNotReleasedIsKnownAfterItsReconnection) {
  World world;
  Peer& hears = world.client("r").as_connector().connect(v5).subscribe("#", 0).quiet();
  Peer& sends = world.client("s").as_connector().connect(v5, lasting).quiet();
  sends.publish("a", "x", 2, [](Publish& p) { p.packet_id = 7; }).hang_up();
  sends.connect(v5, lasting).quiet();
  sends.publish("a", "x", 2, [](Publish& p) {
    p.packet_id = 7;
    p.dup = true;
  });
  EXPECT_EQ(sends.hears(), (Lines{"PUBREC #7 0x00"}));
  EXPECT_EQ(hears.hears(), (Lines{"a x"}));
}

TEST(QoS2, MoreThanTheReceiveMaximumIsRefused) {  // [MQTT-3.3.4-7], 0x93
  Limits limits;
  limits.mqtt_inflight = 3;
  World world(limits);
  Peer& sends = world.client("s").as_connector().connect(v5).quiet();
  for (int i = 0; i < 4; ++i) sends.publish("a", "x", 2);
  EXPECT_EQ(sends.hears().back(), "closed");
  EXPECT_EQ(world.figures().closed_receive_maximum, 1u);
}

TEST(QoS2, IsHandedOverInFourSteps) {  // §4.3.3
  for (const Version version : {v3, v5}) {
    World world;
    Peer& hears = world.client("r").as_connector().connect(version).subscribe("#", 2).quiet();
    world.client("s").as_connector().connect(v5).publish("a", "x", 2);
    EXPECT_EQ(hears.hears(), (Lines{"q2 #1 a x"}));
    EXPECT_EQ(hears.send(pubrec(1)).hears(), (Lines{"PUBREL #1 0x00"}));
    EXPECT_EQ(hears.send(Pubcomp{1, {}, {}}).hears(), (Lines{}));
    EXPECT_EQ(hears.send(pubrec(1)).hears().at(0).substr(0, 9), "PUBREL #1") << "unknown by now";
  }
}

TEST(QoS2, ARefusingPubrecEndsTheExchangeAndFreesItsIdentifier) {  // [MQTT-4.3.3-9]
  World world;
  Peer& hears = world.client("r").as_connector().connect(
      v5, [](Connect& c) { c.properties.add(PropertyId::receive_maximum, 1); });
  hears.subscribe("#", 2).quiet();
  Peer& sends = world.client("s").as_connector().connect(v5);
  sends.publish("a", "x", 2);
  sends.publish("a", "y", 2);
  EXPECT_EQ(hears.hears(), (Lines{"q2 #1 a x"}));
  hears.send(pubrec(1, Reason::quota_exceeded));
  EXPECT_EQ(hears.hears(), (Lines{"q2 #2 a y"})) << "no PUBREL";
}

// The queue must go on with each end of an exchange, not only with new messages.
TEST(QoS2, ABurstArrivesWholeAtAReceiveMaximumOf20) {
  for (const Version version : {v3, v5}) {
    Limits limits;
    limits.mqtt_inflight = 20;
    World world(limits);
    Peer& hears = world.client("r").as_connector().connect(version).subscribe("#", 2).quiet();
    Peer& sends = world.client("s").as_connector().connect(v5);
    for (std::uint16_t i = 1; i <= 100; ++i) {
      sends.publish("a", std::to_string(i), 2);
      sends.send(Pubrel{i, {}, {}});
    }
    Lines heard = hears.hears();
    EXPECT_EQ(heard.size(), 20u);
    for (std::uint16_t i = 1; i <= 100; ++i) {
      hears.send(pubrec(i)).quiet().send(Pubcomp{i, {}, {}});
      for (const std::string& line : hears.hears()) heard.push_back(line);
    }
    ASSERT_EQ(heard.size(), 100u);
    for (std::size_t i = 1; i <= 100; ++i) {
      EXPECT_EQ(heard[i - 1], "q2 #" + std::to_string(i) + " a " + std::to_string(i));
    }
  }
}

TEST(Exchange, WhatIsUnfinishedIsSentAgainInItsOrderAfterAReconnection) {  // [MQTT-4.4.0-1]
  for (const Version version : {v3, v5}) {
    World world;
    Peer& hears = world.client("r").as_connector().connect(version, lasting);
    hears.subscribe("#", 2).quiet();
    Peer& sends = world.client("s").as_connector().connect(v5);
    for (int i = 1; i <= 4; ++i) sends.publish("a", std::to_string(i), i % 2 == 0 ? 2 : 1);
    hears.send(pubrec(4)).quiet().acknowledge(1).hang_up();
    sends.publish("a", "5", 1);
    hears.connect(version, lasting);
    const Lines heard = hears.hears();
    EXPECT_EQ(heard.at(0).substr(0, 20), "CONNACK 0x00 present");
    EXPECT_EQ(Lines(heard.begin() + 1, heard.end()),
              (Lines{"q2 #2 dup a 2", "q1 #3 dup a 3", "PUBREL #4 0x00", "q1 #5 a 5"}));
  }
}

TEST(Exchange, SentAgainOrNotNeverMoreThanTheNewReceiveMaximum) {  // [MQTT-4.9.0-1] [MQTT-3.3.4-9]
  World world;
  Peer& hears = world.client("r").as_connector().connect(v5, lasting);
  hears.subscribe("#", 1).quiet();
  Peer& sends = world.client("s").as_connector().connect(v5);
  for (int i = 1; i <= 4; ++i) sends.publish("a", std::to_string(i), 1);
  hears.quiet().hang_up();
  hears.connect(v5, [](Connect& c) {
    lasting(c);
    c.properties.add(PropertyId::receive_maximum, 2);
  });
  EXPECT_EQ(hears.hears().size(), 3u);
  EXPECT_EQ(hears.acknowledge(1).hears(), (Lines{"q1 #3 dup a 3"}));
  EXPECT_EQ(hears.send(Pingreq{}).hears(), (Lines{"PINGRESP"})) << "[MQTT-4.9.0-3]";
}

// The broker read the client's session after that had been taken from it.
TEST(Exchange, WhoPublishesIntoTheirOwnFullQueueIsDisconnectedAndHasPublishedOnce) {
  Limits limits;
  limits.mqtt_queue_messages = 4;
  World world(limits);
  Peer& other = world.client("r").as_connector().connect(v5).subscribe("#").quiet();
  Peer& self = world.client("s").as_connector().connect(v5, lasting).subscribe("#", 1).quiet();
  self.stop_reading();
  while (!self.is_over()) {
    self.publish("a", "x", 2, [](Publish& p) { p.packet_id = 7; });
    if (!self.is_over()) self.send(Pubrel{7, {}, {}});
  }
  other.quiet();
  self.hang_up();
  self.connect(v5, lasting).quiet();
  self.publish("a", "x", 2, [](Publish& p) {
    p.packet_id = 7;
    p.dup = true;
  });
  EXPECT_EQ(self.hears().back(), "PUBREC #7 0x00");
  EXPECT_EQ(other.hears(), (Lines{}));
}

TEST(Exchange, AReleaseOfAnEarlierConnectionMakesNoRoomForMore) {  // [MQTT-3.3.4-9]
  World world;
  const auto takes_two = [](Connect& c) {
    lasting(c);
    c.properties.add(PropertyId::receive_maximum, 2);
  };
  Peer& hears = world.client("r").as_connector().connect(v5, takes_two).subscribe("#", 2);
  Peer& sends = world.client("s").as_connector().connect(v5);
  for (int i = 1; i <= 5; ++i) sends.publish("a", std::to_string(i), 2);
  hears.send(pubrec(1)).quiet().hang_up();
  hears.connect(v5, takes_two);
  EXPECT_EQ(hears.hears().back(), "q2 #3 a 3");
  hears.send(Pubcomp{1, {}, {}});
  EXPECT_EQ(hears.hears(), (Lines{})) << "two are unacknowledged: the second and the third";
  hears.send(pubrec(2)).send(Pubcomp{2, {}, {}});
  EXPECT_EQ(hears.hears(), (Lines{"PUBREL #2 0x00", "q2 #4 a 4"}));
}

// After some hundred connections there was no identifier left, and the search for one did not end.
TEST(Exchange, WhoNeverCompletesAnythingIsSentNoMore) {
  Limits limits;
  limits.mqtt_inflight = 2;
  World world(limits);
  Peer& hears = world.client("r").as_connector().connect(v5, lasting).subscribe("#", 2).quiet();
  Peer& sends = world.client("s").as_connector().connect(v5);
  for (int i = 1; i <= 5; ++i) {
    const auto id = static_cast<std::uint16_t>(i);
    sends.publish("a", std::to_string(i), 2, [id](Publish& p) { p.packet_id = id; });
    sends.send(Pubrel{id, {}, {}});
  }
  hears.send(pubrec(1)).send(pubrec(2)).quiet();
  for (int i = 0; i < 3; ++i) {
    hears.hang_up();
    hears.connect(v5, lasting);
    const Lines heard = hears.hears();
    EXPECT_EQ(Lines(heard.begin() + 1, heard.end()), (Lines{"PUBREL #1 0x00", "PUBREL #2 0x00"}));
  }
  EXPECT_EQ(hears.send(Pubcomp{1, {}, {}}).hears(), (Lines{"q2 #3 a 3"}));
}

TEST(Exchange, WhatIsSentAgainAfterItsExpirySaysThatNothingIsLeft) {
  World world;
  Peer& hears = world.client("r").as_connector().connect(v5, lasting).subscribe("#", 1);
  world.client("s").as_connector().connect(v5).publish(
      "a", "x", 1, [](Publish& p) { p.properties.add(PropertyId::message_expiry_interval, 5); });
  hears.quiet().hang_up();
  world.pass(10s);
  hears.connect(v5, lasting);
  EXPECT_EQ(hears.hears().back(), "q1 #1 dup a x expiry=0");
}

TEST(Exchange, AnAcknowledgementOfAnotherQoSIsAProtocolError) {
  World world;
  Peer& hears = world.client("r").as_connector().connect(v5).subscribe("#", 2).quiet();
  world.client("s").as_connector().connect(v5).publish("a", "x", 2);
  EXPECT_EQ(hears.quiet().acknowledge(1).hears(), (Lines{"DISCONNECT 0x82", "closed"}));
}

}  // namespace
}  // namespace doctor::mqtt::testing
