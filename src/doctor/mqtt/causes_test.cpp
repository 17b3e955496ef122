#include <gtest/gtest.h>

#include "doctor/mqtt/test_broker.hpp"

// Whatever the broker refuses or ends is counted by its cause, and warned of once a minute.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr Version v3 = Version::v3_1_1;
constexpr Version v5 = Version::v5_0;

// How many warnings hold the text.
std::size_t warnings(const World& world, std::string_view text) {
  std::size_t count = 0;
  for (const std::string& line : world.log()) count += line.find(text) != std::string::npos ? 1 : 0;
  return count;
}

TEST(Causes, OfRefusedConnectsAreToldApart) {
  World world;
  world.session("s1", "\"*\"");
  world.client("a").as_session("unknown").connect(v5);
  world.client("a").as_connector().connect(
      v5, [](Connect& c) { c.properties.add(PropertyId::authentication_method, "SCRAM"); });
  world.client("a").open().send_bytes("\x10\x0D\0\4MQTT\6\2\0\0\0\0\0"sv);
  world.client(std::string(300, 'x')).as_connector().connect(v3);
  world.client("a").as_session("s1").connect(v5, [](Connect& c) { c.will.emplace().topic = "w"; });
  EXPECT_EQ(world.figures().refused_credentials, 1u);
  EXPECT_EQ(world.figures().refused_authentication, 1u);
  EXPECT_EQ(world.figures().refused_version, 1u);
  EXPECT_EQ(world.figures().refused_client_id, 1u);
  EXPECT_EQ(world.figures().refused_will, 1u);
  EXPECT_EQ(warnings(world, "10.0.0.1"), 1u) << "one line for all of them, in this minute";
  world.pass(60s);
  world.client(std::string(300, 'x')).as_connector().connect(v3);
  EXPECT_EQ(warnings(world, "mqtt_client_id"), 1u);
}

TEST(Causes, OfTooLargePacketsAndTooManyMessagesHaveTheirOwn) {
  Limits limits;
  limits.mqtt_packet = 1000;
  limits.mqtt_inflight = 1;
  World world(limits);
  Peer& large = world.client("a").as_connector().connect(v5).quiet();
  EXPECT_EQ(large.publish("a", std::string(1000, 'x')).hears()[0], "DISCONNECT 0x95");
  Peer& many = world.client("b").as_connector().connect(v5).quiet();
  EXPECT_EQ(many.publish("a", "x", 2).publish("a", "x", 2).hears()[1], "DISCONNECT 0x93");
  EXPECT_EQ(world.figures().closed_packet_size, 1u);
  EXPECT_EQ(world.figures().closed_receive_maximum, 1u);
  EXPECT_EQ(world.figures().closed_malformed + world.figures().closed_protocol, 0u);
  EXPECT_EQ(warnings(world, "mqtt_packet"), 1u);
  EXPECT_EQ(warnings(world, "Receive Maximum"), 1u);
}

TEST(Causes, OfSilenceBeforeConnectAndAfterAreToldApart) {
  World world;
  world.client("a").open();
  world.client("b").as_connector().connect(v5, [](Connect& c) { c.keep_alive = 5; });
  world.pass(10s);
  EXPECT_EQ(world.figures().closed_connect_timeout, 1u);
  EXPECT_EQ(world.figures().closed_keep_alive, 1u);
  EXPECT_EQ(warnings(world, "mqtt_connect_timeout"), 1u);
  EXPECT_EQ(warnings(world, "keep-alive"), 1u);
}

TEST(Causes, OfRefusedSubscriptionsAreToldApart) {
  Limits limits;
  limits.mqtt_subscriptions = 1;
  World world(limits);
  Peer& client = world.client("a").as_connector().connect(v5).subscribe("a").quiet();
  EXPECT_EQ(client.subscribe("b").hears()[0].substr(0, 14), "SUBACK #2 0x97");
  EXPECT_EQ(client.subscribe("c").hears()[0].substr(0, 14), "SUBACK #3 0x97");
  EXPECT_EQ(client.subscribe("$share/x").hears()[0].substr(0, 14), "SUBACK #4 0x8f");
  EXPECT_EQ(world.figures().subscriptions_refused_too_many, 2u);
  EXPECT_EQ(world.figures().subscriptions_refused_filter, 1u);
  EXPECT_EQ(warnings(world, "mqtt_subscriptions"), 1u);
}

TEST(Causes, OfDroppedMessagesAreWarnedOfOnceAMinute) {
  Limits limits;
  limits.mqtt_queue_messages = 4;
  World world(limits);
  Peer& stuck = world.client("a").as_connector().connect(v5).subscribe("#").quiet().stop_reading();
  Peer& sends = world.client("b").as_connector().connect(v5);
  for (int i = 0; i < 20; ++i) sends.publish("a", "x");
  EXPECT_GT(world.figures().dropped_queue_full, 10u);
  EXPECT_EQ(warnings(world, "mqtt_queue_messages"), 1u);
  stuck.read();
}

TEST(Causes, OfTheEndsOfSessionsAreToldApart) {
  Limits limits;
  limits.mqtt_sessions = 1;
  limits.mqtt_backlog_bytes = 0;
  World world(limits);
  const auto lasting = [](Connect& c) {
    c.clean_start = false;
    c.properties.add(PropertyId::session_expiry_interval, 100);
  };
  Peer& kept = world.client("a").as_connector().connect(v5, lasting).subscribe("#", 1).quiet();
  kept.hang_up();
  world.client("b").as_connector().connect(v5, lasting).hang_up();
  EXPECT_EQ(world.figures().sessions_ended_too_many, 1u);
  EXPECT_EQ(warnings(world, "mqtt_sessions"), 1u);
  for (int i = 0; i < 3; ++i) world.commit({created("vm", std::to_string(i))});
  world.log_begins = 3;
  kept.connect(v5, lasting).hang_up();
  EXPECT_EQ(world.figures().sessions_ended_behind, 1u);
  EXPECT_EQ(warnings(world, "log_retention"), 1u);
  world.pass(100s);
  EXPECT_EQ(world.figures().sessions_ended_expired, 1u);
}

}  // namespace
}  // namespace doctor::mqtt::testing
