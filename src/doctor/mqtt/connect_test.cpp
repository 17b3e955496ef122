#include <gtest/gtest.h>

#include "doctor/mqtt/test_broker.hpp"

// CONNECT: who is let in, what is told, and how it is refused.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr Version v3 = Version::v3_1_1;
constexpr Version v5 = Version::v5_0;

constexpr std::string_view limits_told =
    "CONNACK 0x00 receive_max=100 packet_max=1048576 alias_max=32";

Will will_at(QoS qos, bool retain) {
  return {qos, retain, "w", "gone", {}};
}

TEST(Connect, A50ClientIsToldTheLimits) {
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5);
  EXPECT_EQ(client.hears(), (Lines{std::string(limits_told)}));
}

TEST(Connect, AnEmptyClientIdOf50IsAssignedAndReturned) {  // [MQTT-3.1.3-6] [MQTT-3.1.3-7]
  World world;
  Peer& one = world.client("").as_connector().connect(v5);
  Peer& two = world.client("").as_connector().connect(v5);
  const std::string first = one.hears().at(0);
  const std::string second = two.hears().at(0);
  EXPECT_NE(first.find(" assigned=doctor-"), std::string::npos) << first;
  EXPECT_NE(first, second);
}

TEST(Connect, AnAssignedClientIdIsNotOneInUse) {
  World world;
  // What the second connection would be called, by its number.
  Peer& named = world.client("doctor-8589934593").as_connector().connect(v5).quiet();
  Peer& unnamed = world.client("").as_connector().connect(v5);
  EXPECT_NE(unnamed.hears().at(0).find("assigned=doctor-8589934594"), std::string::npos);
  EXPECT_EQ(named.hears(), (Lines{}));
}

TEST(Connect, AnEmptyClientIdOf311NeedsACleanSession) {  // [MQTT-3.1.3-8 of 3.1.1]
  World world;
  Peer& clean = world.client("").as_connector().connect(v3);
  EXPECT_EQ(clean.hears(), (Lines{"CONNACK 0x00"}));
  Peer& kept =
      world.client("").as_connector().connect(v3, [](Connect& c) { c.clean_start = false; });
  EXPECT_EQ(kept.hears(), (Lines{"CONNACK 0x85", "closed"}));
}

TEST(Connect, AClientIdOverTheLimitIsRefused) {
  World world;
  Peer& client = world.client(std::string(257, 'x')).as_connector().connect(v5);
  EXPECT_EQ(client.hears(), (Lines{"CONNACK 0x85", "closed"}));
  Peer& good = world.client(std::string(256, 'x')).as_connector().connect(v5);
  EXPECT_EQ(good.hears(), (Lines{std::string(limits_told)}));
}

TEST(Connect, OnlyKnownCredentialsAreLetInAndNoHintIsGiven) {
  World world;
  world.session("s1", R"({"vm":"*"})");
  const auto outcome = [&](std::optional<std::string_view> user,
                           std::optional<std::string_view> password, Version version) {
    return world.client("c")
        .connect(version,
                 [&](Connect& c) {
                   c.user_name = user;
                   c.password = password;
                 })
        .hears();
  };
  const Lines refused{"CONNACK 0x86", "closed"};
  EXPECT_EQ(outcome("connector", "wrong", v5), refused);
  EXPECT_EQ(outcome("connector", std::nullopt, v5), refused);
  EXPECT_EQ(outcome("session", "unknown", v5), refused);
  EXPECT_EQ(outcome("session", "the secret", v5), refused);
  EXPECT_EQ(outcome("root", "the secret", v5), refused);
  EXPECT_EQ(outcome(std::nullopt, std::nullopt, v5), refused);
  EXPECT_EQ(outcome("connector", "wrong", v3), refused);  // 4 in 3.1.1
  EXPECT_EQ(outcome("session", "s1", v3), (Lines{"CONNACK 0x00"}));
  EXPECT_EQ(outcome("connector", "the secret", v3), (Lines{"CONNACK 0x00"}));
  EXPECT_EQ(world.figures().refused_credentials, 7u);
}

TEST(Connect, UnsecuredEveryoneIsLetIn) {
  World world({}, false);
  world.session("s1", R"({"vm":["1"]})");
  Peer& anyone = world.client("c1").connect(v3).subscribe("#");
  Peer& session = world.client("c2").as_session("s1").connect(v3).subscribe("#");
  Peer& unknown = world.client("c3").as_session("s2").connect(v3).subscribe("#");
  world.commit({created("vm", "2")});
  EXPECT_EQ(anyone.messages(), (Lines{"vm/2 +"}));
  EXPECT_EQ(session.messages(), (Lines{}));
  EXPECT_EQ(unknown.messages(), (Lines{"vm/2 +"}));
}

TEST(Connect, TheAnswerToAFailedLoginWaitsAsTheThrottleSays) {
  World world;
  world.login_delay = 500ms;
  Peer& guesser = world.client("c1").as_session("guess").connect(v5);
  EXPECT_EQ(guesser.hears(), (Lines{}));
  Peer& good = world.client("c2").as_connector().connect(v5);
  EXPECT_EQ(good.hears().size(), 1u) << "a good login is not delayed";
  world.pass(400ms);
  EXPECT_EQ(guesser.hears(), (Lines{}));
  world.pass(100ms);
  EXPECT_EQ(guesser.hears(), (Lines{"CONNACK 0x86", "closed"}));
}

TEST(Connect, NothingAfterARefusedConnectIsProcessed) {  // [MQTT-3.1.4-6]
  World world;
  world.login_delay = 500ms;
  Peer& client = world.client("c1").as_session("guess").connect(v5);
  client.subscribe("#").publish("a", "b");
  world.pass(1s);
  EXPECT_EQ(client.hears(), (Lines{"CONNACK 0x86", "closed"}));
  EXPECT_EQ(world.figures().messages_in, 0u);
}

TEST(Connect, APeerThatGoesAwayWhileItsRefusalWaitsIsForgotten) {
  World world;
  world.login_delay = 500ms;
  world.client("c1").as_session("guess").connect(v5).hang_up();
  world.pass(1s);
  EXPECT_EQ(world.figures().connections, 0u);
}

TEST(Connect, TheFirstPacketIsConnect) {  // [MQTT-3.1.0-1] [MQTT-3.14.0-1]
  World world;
  Peer& client = world.client("c1").open().send(Pingreq{});
  EXPECT_EQ(client.hears(), (Lines{"closed"}));
}

TEST(Connect, ASecondConnectEndsTheConnection) {  // [MQTT-3.1.0-2]
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5).quiet().connect(v5);
  EXPECT_EQ(client.hears(), (Lines{"DISCONNECT 0x82", "closed"}));
}

TEST(Connect, NoConnectInTimeEndsTheConnection) {
  World world;
  Peer& client = world.client("c1").open();
  world.pass(9s);
  EXPECT_EQ(client.hears(), (Lines{}));
  world.pass(1s);
  EXPECT_EQ(client.hears(), (Lines{"closed"}));
}

TEST(Connect, AnUnknownVersionIsRefusedInItsOwnForm) {  // [MQTT-3.1.2-2]
  World world;
  Peer& newer = world.client("c1").open().send_bytes("\x10\x0D\0\4MQTT\6\2\0\0\0\0\0"sv);
  EXPECT_EQ(newer.hears(), (Lines{"CONNACK 0x84", "closed"}));
  Peer& older = world.client("c2").open().send_bytes("\x10\x0C\0\4MQTT\3\2\0\0\0\0"sv);
  EXPECT_EQ(older.bytes_received(), 4u);  // CONNACK with return code 1
  Peer& named = world.client("c3").open().send_bytes("\x10\x0E\0\6MQIsdp\3\2\0\0\0\0"sv);
  EXPECT_EQ(named.bytes_received(), 4u) << "MQTT 3.1 is told the same";
}

TEST(Connect, AMalformedConnectOf50IsToldWhy) {
  World world;
  Peer& client = world.client("c1").open().send_bytes("\x10\x0D\0\4MQTT\5\3\0\0\0\0\0"sv);
  EXPECT_EQ(client.hears(), (Lines{"CONNACK 0x81", "closed"}));
  Peer& old = world.client("c2").open().send_bytes("\x10\x0C\0\4MQTT\4\3\0\0\0\0"sv);
  EXPECT_EQ(old.hears(), (Lines{"closed"}));
  EXPECT_EQ(world.figures().closed_malformed, 2u);
}

TEST(Connect, AConnectMayNotTakeWhatAMessageMay) {
  World world;
  Peer& client = world.client("c1").open().send_bytes("\x10\x80\x80\x08"sv);
  EXPECT_EQ(client.hears(), (Lines{"closed"}));
}

TEST(Connect, EnhancedAuthenticationIsRefused) {  // [MQTT-4.12.0-1]
  World world;
  Peer& client = world.client("c1").as_connector().connect(
      v5, [](Connect& c) { c.properties.add(PropertyId::authentication_method, "SCRAM-SHA-1"); });
  EXPECT_EQ(client.hears(), (Lines{"CONNACK 0x8c", "closed"}));
}

TEST(Connect, AWillForAReservedTopicIsRefused) {
  World world;
  const auto outcome = [&](Version version) {
    return world.client("c1")
        .as_connector()
        .connect(version, [&](Connect& c) { c.will.emplace().topic = "$SYS/x"; })
        .hears();
  };
  EXPECT_EQ(outcome(v5), (Lines{"CONNACK 0x90", "closed"}));
  EXPECT_EQ(outcome(v3), (Lines{"closed"}));
}

TEST(Connect, AWillOfASessionIsNotAuthorized) {
  World world;
  world.session("s1", "\"*\"");
  const auto outcome = [&](Version version) {
    return world.client("c1")
        .as_session("s1")
        .connect(version, [](Connect& c) { c.will = will_at(QoS::at_most_once, false); })
        .hears();
  };
  EXPECT_EQ(outcome(v5), (Lines{"CONNACK 0x87", "closed"}));
  EXPECT_EQ(outcome(v3), (Lines{"CONNACK 0x87", "closed"}));  // 5 in 3.1.1
}

TEST(Connect, ASecondConnectionOfAClientTakesTheFirstOver) {  // [MQTT-3.1.4-3]
  World world;
  Peer& first = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  Peer& second = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  EXPECT_EQ(first.hears(), (Lines{"DISCONNECT 0x8e", "closed"}));
  world.commit({created("vm", "1")});
  EXPECT_EQ(second.hears(), (Lines{"vm/1 + revision=1 commit=end"}));
  EXPECT_EQ(world.figures().closed_taken_over, 1u);
  EXPECT_EQ(world.figures().connections, 1u);
  EXPECT_EQ(world.figures().subscriptions, 1u);
}

TEST(Connect, EqualClientIdsOfDifferentPrincipalsDoNotMeet) {
  World world;
  world.session("s1", "\"*\"");
  world.session("s2", "\"*\"");
  Peer& connector = world.client("c1").as_connector().connect(v5).quiet();
  Peer& one = world.client("c1").as_session("s1").connect(v5).quiet();
  Peer& two = world.client("c1").as_session("s2").connect(v5).quiet();
  EXPECT_EQ(connector.hears(), (Lines{}));
  EXPECT_EQ(one.hears(), (Lines{}));
  EXPECT_EQ(two.hears(), (Lines{}));
  EXPECT_EQ(world.figures().connections, 3u);
}

TEST(Connect, AKeepAliveOverTheLimitIsAnsweredWithTheLimitWhichThenHolds) {  // [MQTT-3.1.2-21]
  Limits limits;
  limits.mqtt_keep_alive_max = 60s;
  World world(limits);
  const auto keep_alive = [](std::uint16_t seconds) {
    return [seconds](Connect& c) { c.keep_alive = seconds; };
  };
  const auto told = [](Peer& peer) {
    return peer.hears().at(0).find("keep_alive=60") != std::string::npos;
  };
  EXPECT_FALSE(told(world.client("within").as_connector().connect(v5, keep_alive(60))));
  Peer& above = world.client("above").as_connector().connect(v5, keep_alive(61));
  Peer& none = world.client("none").as_connector().connect(v5, keep_alive(0));
  Peer& older = world.client("older").as_connector().connect(v3, keep_alive(0));
  older.quiet();
  EXPECT_TRUE(told(above));
  EXPECT_TRUE(told(none));
  world.pass(90s);
  EXPECT_EQ(above.hears(), (Lines{}));
  world.pass(1s);
  EXPECT_EQ(above.hears().back(), "closed");
  EXPECT_EQ(none.hears().back(), "closed");
  EXPECT_EQ(older.hears(), (Lines{}));
}

TEST(Connect, ARefusedConnectTakesNothingOver) {
  World world;
  Peer& first = world.client("c1").as_connector().connect(v5).quiet();
  world.client("c1").as_connector().connect(v5, [](Connect& c) { c.will.emplace().topic = "$w"; });
  EXPECT_EQ(first.send(Pingreq{}).hears(), (Lines{"PINGRESP"}));
}

TEST(Connect, TheLogNeverShowsASessionsId) {
  World world;
  world.session("very-secret-session-id", "\"*\"");
  Peer& client = world.client("very-secret-session-id").as_session("very-secret-session-id");
  client.connect(v3, [](Connect& c) { c.clean_start = false; });
  world.client("x").as_session("very-secret-but-wrong").connect(v3);
  world.commit({}, {world.remove_session("very-secret-session-id")});
  EXPECT_FALSE(world.log().empty());
  for (const std::string& line : world.log()) {
    EXPECT_EQ(line.find("secret"), std::string::npos) << line;
  }
}

TEST(Connect, ASessionThatHasExpiredIsUnknown) {
  World world;
  world.session("s1", "\"*\"", Timestamp(world.wall().value + 1000));
  world.pass(1s);
  EXPECT_EQ(world.client("c1").as_session("s1").connect(v5).hears(),
            (Lines{"CONNACK 0x86", "closed"}));
}

TEST(Connect, ShuttingDownTells50ClientsAndClosesAll) {
  World world;
  Peer& five = world.client("c1").as_connector().connect(v5).quiet();
  Peer& three = world.client("c2").as_connector().connect(v3).quiet();
  Peer& nobody = world.client("c3").open();
  world.broker().shut_down();
  world.pump();
  EXPECT_EQ(five.hears(), (Lines{"DISCONNECT 0x8b", "closed"}));
  EXPECT_EQ(three.hears(), (Lines{"closed"}));
  EXPECT_EQ(nobody.hears(), (Lines{"closed"}));
}

}  // namespace
}  // namespace doctor::mqtt::testing
