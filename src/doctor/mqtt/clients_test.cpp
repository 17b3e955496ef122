#include <gtest/gtest.h>

#include "doctor/base/crypto.hpp"
#include "doctor/mqtt/test_broker.hpp"

// What operators see of the clients, and what they do to them.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;

constexpr Version v3 = Version::v3_1_1;
constexpr Version v5 = Version::v5_0;

std::function<void(Connect&)> lasting(std::uint32_t seconds = 100) {
  return [seconds](Connect& c) {
    c.clean_start = false;
    c.keep_alive = 60;
    c.properties.add(PropertyId::session_expiry_interval, seconds);
  };
}

ClientView only(World& world) {
  const ClientPage page = world.broker().clients(0, 10);
  return page.clients.size() == 1 ? page.clients[0] : ClientView{};
}

TEST(Clients, AreSeenWithTheirConnection) {
  World world;
  world.pass(5s);
  world.client("c").as_connector().connect(v5, lasting());
  const ClientView client = only(world);
  EXPECT_EQ(client.id, "connector:c");
  EXPECT_EQ(client.client_id, "c");
  EXPECT_EQ(client.principal, document::Principal::Kind::connector);
  EXPECT_EQ(client.session, "");
  ASSERT_TRUE(client.connection);
  EXPECT_EQ(client.connection->user_name, "connector");
  EXPECT_EQ(client.connection->version, v5);
  EXPECT_EQ(client.connection->since, world.wall());
  EXPECT_EQ(client.connection->keep_alive, 60s);
  EXPECT_FALSE(client.connection->clean_start);
  EXPECT_EQ(client.session_expiry, 100s);
  EXPECT_FALSE(client.away);
}

TEST(Clients, AreSeenWhileTheyAreAway) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting()).subscribe("vm/+", 1);
  const Timestamp left = world.wall();
  client.quiet().hang_up();
  world.pass(10s);
  world.commit({created("vm", "1")});
  world.commit({created("vm", "2")});
  const ClientView seen = only(world);
  EXPECT_FALSE(seen.connection);
  ASSERT_TRUE(seen.away);
  EXPECT_EQ(seen.away->since, left);
  EXPECT_EQ(seen.away->ends, Timestamp(left.value + 100'000));
  EXPECT_EQ(seen.behind, 2u);
}

TEST(Clients, OfSessionsShowFingerprintsAndNoIds) {
  World world;
  world.session("a-secret", "\"*\"");
  world.client("c").as_session("a-secret").connect(v3);
  const ClientView client = only(world);
  EXPECT_EQ(client.id, "session:" + fingerprint("a-secret", 16) + ":c");
  EXPECT_EQ(client.session, fingerprint("a-secret"));
  EXPECT_EQ(client.connection->user_name, "session");
}

TEST(Clients, ShowSubscriptionsAndQueues) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5);
  Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.properties.add(PropertyId::subscription_identifier, 300);
  subscribe.requests = {{"vm/+", {QoS::at_least_once, true, false}, 0}};
  client.send(subscribe).subscribe("$share/g/x").quiet();
  Peer& sends = world.client("s").as_connector().connect(v5);
  for (int i = 0; i < 5; ++i) sends.publish("vm/1", "payload", 1);
  const ClientView seen = world.broker().client("connector:c").value();
  ASSERT_EQ(seen.shown.size(), 2u);
  EXPECT_EQ(seen.subscriptions, 2u);
  EXPECT_EQ(seen.shown[0].filter, "vm/+");
  EXPECT_EQ(seen.shown[0].options, (SubscriptionOptions{QoS::at_least_once, true, false}));
  EXPECT_EQ(seen.shown[0].identifier, 300u);
  EXPECT_EQ(seen.shown[1].filter, "$share/g/x");
  EXPECT_EQ(seen.shown[1].identifier, std::nullopt);
  EXPECT_EQ(seen.outbox.messages + seen.inflight.messages, 5u);
  EXPECT_GT(seen.outbox.bytes + seen.inflight.bytes, 5 * sizeof("payload"));
}

TEST(Clients, ShowABoundedPartOfManyFilters) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5);
  for (int i = 0; i < 20; ++i) client.subscribe("a/" + std::to_string(i));
  EXPECT_EQ(only(world).subscriptions, 20u);
  EXPECT_EQ(only(world).shown.size(), 10u);
  EXPECT_EQ(world.broker().client("connector:c")->shown.size(), 20u);
}

TEST(Clients, ShowUserNamesCutBetweenCharacters) {
  World world({}, false);
  std::string name(127, 'x');
  world.client("c").connect(v5, [&](Connect& c) { c.user_name = name += "é and more"; });
  EXPECT_EQ(only(world).connection->user_name, std::string(127, 'x'));
  EXPECT_EQ(only(world).id, "anyone:c");
}

TEST(Clients, ArePagedWithoutSkippingOrRepeating) {
  World world;
  std::vector<Peer*> peers;
  for (int i = 0; i < 10; ++i) {
    peers.push_back(&world.client(std::to_string(i)).as_connector().connect(v5));
  }
  peers[3]->hang_up();
  Lines seen;
  std::uint32_t from = 0;
  for (;;) {
    const ClientPage page = world.broker().clients(from, 4);
    for (const ClientView& client : page.clients) seen.push_back(client.client_id);
    if (seen.size() == 4) peers[1]->hang_up();  // was seen
    if (!page.next) break;
    from = *page.next;
  }
  EXPECT_EQ(seen, (Lines{"0", "1", "2", "4", "5", "6", "7", "8", "9"}));
  EXPECT_EQ(world.broker().clients(1'000'000, 4).clients.size(), 0u);
}

TEST(Clients, OfDifferentPrincipalsDoNotMeet) {
  World world;
  world.session("s1", "\"*\"");
  world.session("s2", "\"*\"");
  world.client("s1/c").as_session("s1").connect(v5, [](Connect& c) { c.client_id = "c"; });
  Peer& second = world.client("s2/c").as_session("s2");
  second.connect(v5, [](Connect& c) { c.client_id = "c"; });
  const std::string first_id = "session:" + fingerprint("s1", 16) + ":c";
  EXPECT_TRUE(world.broker().disconnect(first_id, false, world.now()));
  world.pump();
  second.quiet();
  EXPECT_EQ(only(world).id, "session:" + fingerprint("s2", 16) + ":c");
}

TEST(Clients, AreDisconnectedForAdministrativeReasons) {
  World world;
  Peer& client = world.client("c").as_connector().connect(v5, lasting()).quiet();
  const auto done = world.broker().disconnect("connector:c", false, world.now());
  world.pump();
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->was_connected);
  EXPECT_FALSE(done->session_ended);
  const Lines heard = client.hears();
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].substr(0, 15), "DISCONNECT 0x98");
  EXPECT_EQ(heard[1], "closed");
  EXPECT_EQ(world.figures().closed_operator, 1u);
  EXPECT_TRUE(only(world).away);
}

TEST(Clients, WithoutExpiryLoseTheirSessionsWhenTheyAreDisconnected) {
  World world;
  world.client("c").as_connector().connect(v5);
  const auto done = world.broker().disconnect("connector:c", false, world.now());
  EXPECT_TRUE(done->session_ended);
  EXPECT_EQ(world.broker().clients(0, 10).clients.size(), 0u);
}

TEST(Clients, LoseTheirSessionsIfThatIsAskedFor) {
  for (const bool away : {false, true}) {
    World world;
    Peer& client = world.client("c").as_connector().connect(v5, lasting());
    if (away) client.hang_up();
    EXPECT_EQ(world.broker().disconnect("connector:c", false, world.now())->session_ended, false);
    if (!away) client.quiet().hang_up();
    const auto done = world.broker().disconnect("connector:c", true, world.now());
    EXPECT_FALSE(done->was_connected);
    EXPECT_TRUE(done->session_ended);
    EXPECT_EQ(world.broker().clients(0, 10).clients.size(), 0u);
  }
}

TEST(Clients, HaveTheirWillsPublishedWhenTheyAreDisconnected) {
  World world;
  Peer& hears = world.client("h").as_connector().connect(v5).subscribe("will").quiet();
  world.client("c").as_connector().connect(
      v5, [](Connect& c) { c.will = Will{QoS::at_most_once, false, "will", "gone", {}}; });
  world.broker().disconnect("connector:c", false, world.now());
  world.pump();
  EXPECT_EQ(hears.hears(), (Lines{"will gone"}));
}

TEST(Clients, ThatAreNotThereAreNotFound) {
  World world;
  world.client("c").as_connector().connect(v5);
  for (const std::string_view id :
       {"", "c", "connector:", "connector:d", "anyone:c", "session:c", "session::c",
        "session:0123456789abcdef:c", "session:0123456789abcdef", "nobody:c"}) {
    EXPECT_FALSE(world.broker().client(id)) << id;
    EXPECT_FALSE(world.broker().disconnect(id, true, world.now())) << id;
  }
  EXPECT_TRUE(world.broker().client("connector:c"));
}

}  // namespace
}  // namespace doctor::mqtt::testing
