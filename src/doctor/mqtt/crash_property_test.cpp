#include <iostream>

#include <gtest/gtest.h>

#include "doctor/json/random_json.hpp"
#include "doctor/mqtt/crash_model.hpp"
#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/test_broker.hpp"

// Clients that keep to the standard, whose sessions outlive their connections, and a broker that is
// killed at random, with a random part of its state on the disk: nobody has anything to complain
// of.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t inflight_max = 5;

struct Client : Steadfast {
  Client(Peer& p, int n) : Steadfast(n, inflight_max), peer(p) {}

  Peer& peer;
  bool reads = true;
  Splitter splitter{1 << 20};
};

Limits small_limits() {
  Limits limits;
  limits.mqtt_inflight = inflight_max;
  limits.mqtt_backlog_bytes = 2000;
  limits.mqtt_stalled_timeout = std::chrono::hours(1000);
  return limits;
}

class CrashRun {
 public:
  explicit CrashRun(std::uint64_t seed) : dice_(seed) {
    world_.session("s", "\"*\"");
    for (int i = 0; i < clients; ++i) {
      Peer& peer = world_.client("c" + std::to_string(i));
      i % 3 == 2 ? peer.as_session("s") : peer.as_connector();
      Client& client = clients_.emplace_back(peer, i);
      peer.watch([this, &client](std::string_view bytes) {
        arrived_.emplace_back(&client, std::string(bytes));
      });
    }
  }

  void steps(int count) {
    for (; count > 0 && !::testing::Test::HasFailure(); --count) {
      step();
      settle();
      check_bounds();
      if (chance(2'000)) end_in_peace();
    }
    if (!::testing::Test::HasFailure()) end_in_peace();
  }

  std::size_t crashes() const { return crashes_; }

 private:
  static constexpr int clients = 6;

  std::size_t below(std::size_t n) { return dice_() % n; }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  // What happens, for people who look for a mistake: DOCTOR_TRACE=1.
  void note(const Client& client, const std::string& line) const {
    if (traces_) std::cout << "c" << client.number << " " << line << "\n";
  }

  void step() {
    Client& client = clients_[below(clients)];
    switch (below(20)) {
      case 0:
        return connect(client);
      case 1:
        if (chance(3)) return hang_up(client);
        return;
      case 2:
      case 3:
      case 4:
        return publish(client);
      case 5:
      case 6:
      case 7:
      case 8:
        return acknowledge(client);
      case 9:
        client.reads = false;
        client.peer.stop_reading();
        return;
      case 10:
        return read(client);
      case 11:
        return world_.pass(std::chrono::milliseconds(below(2000)));
      case 12:
        world_.begin_write();
        return;
      case 13:
        world_.end_write();
        return world_.pump();
      case 14:
        world_.write_state();
        return world_.pump();
      case 15:
        if (chance(15)) crash();
        return;
      default:
        return commit();
    }
  }

  // -- connections --------------------------------------------------------------------------

  void connect(Client& client) {
    client.reads = true;
    client.is_v5 = !chance(3);
    client.splitter = Splitter(1 << 20);
    client.begin_connection();
    note(client, "connects");
    client.peer.hang_up();
    client.peer.connect(client.is_v5 ? Version::v5_0 : Version::v3_1_1, [](Connect& connect) {
      connect.clean_start = false;
      if (connect.version != Version::v5_0) return;
      connect.properties.add(PropertyId::session_expiry_interval, 100'000);
    });
  }

  void hang_up(Client& client) {
    note(client, "hangs up");
    client.connected = false;
    client.peer.hang_up();
    world_.pump();
  }

  void read(Client& client) {
    client.reads = true;
    client.peer.read();
  }

  void crash() {
    ++crashes_;
    for (Client& client : clients_) client.connected = false;
    if (traces_) std::cout << "CRASH\n";
    arrived_.clear();
    world_.crash(chance(2));
  }

  // -- what they do -------------------------------------------------------------------------

  void publish(Client& client) {
    // A session may not publish; who has as many under way as the broker allows must wait.
    if (!client.connected || client.is_session() || client.sending.size() >= inflight_max) return;
    const QoS qos = static_cast<QoS>(1 + below(2));
    const bool retain = chance(5);
    const std::string topic = retain ? "kept/" + std::to_string(client.number) : "news";
    const std::string payload = told_.post({client.number, topic, qos});
    note(client, "publishes " + payload + " at " + std::to_string(static_cast<int>(qos)));
    send(client, client.begin_to_send({0, qos, topic, payload, retain, false}), false);
  }

  void send(Client& client, const Client::Sending& message, bool dup) {
    if (message.received) {
      client.peer.send(Pubrel{message.id, Reason::success, {}});
      return;
    }
    if (dup) told_.posts[number_of(message.payload)].sent_again = true;
    client.peer.publish(message.topic, message.payload, static_cast<int>(message.qos),
                        [&](Publish& publish) {
                          publish.packet_id = message.id;
                          publish.retain = message.retain;
                          publish.dup = dup;
                        });
  }

  // Answers what came first, or what the broker has released.
  void acknowledge(Client& client) {
    if (!client.connected || !client.reads) return;
    if (!client.released.empty() && chance(2)) {
      const std::uint16_t id = *client.released.begin();
      client.released.erase(id);
      note(client, "PUBCOMP " + std::to_string(id));
      client.peer.send(Pubcomp{id, Reason::success, {}});
      return;
    }
    if (client.order.empty()) return;
    const auto [id, qos] = client.answer_first();
    note(client, "acknowledges " + std::to_string(id));
    if (qos == QoS::at_least_once) {
      client.peer.send(Puback{id, Reason::success, {}});
    } else {
      client.peer.send(Pubrec{id, Reason::success, {}});
    }
  }

  void commit() {
    std::vector<document::Change> changes;
    for (std::size_t count = below(chance(30) ? 300 : 4); count > 0; --count) {
      changes.push_back(updated("vm", "1", {told_.change(world_.revision() + 1)}));
    }
    if (traces_) std::cout << "commit up to change " << told_.changes.size() << "\n";
    world_.commit_silently(std::move(changes));
    if (chance(4)) return;
    world_.announce();
    if (!chance(4)) world_.advance_to_the_end();
  }

  // -- what comes ---------------------------------------------------------------------------

  void settle() {
    while (!arrived_.empty()) {
      for (const auto& [client, bytes] : std::exchange(arrived_, {})) split(*client, bytes);
    }
    for (Client& client : clients_) {
      if (client.connected && client.peer.is_over()) {
        ADD_FAILURE() << "c" << client.number << " was disconnected";
      }
    }
  }

  void split(Client& client, std::string_view bytes) {
    for (;;) {
      const auto frame = client.splitter.next(bytes);
      ASSERT_TRUE(frame.has_value());
      if (!*frame) return;
      const auto packet = decode(**frame, client.is_v5 ? Version::v5_0 : Version::v3_1_1);
      ASSERT_TRUE(packet.has_value());
      if (traces_) note(client, "    hears " + describe(*packet));
      const std::string wrong = std::visit([&](const auto& p) { return take(client, p); }, *packet);
      if (!wrong.empty())
        ADD_FAILURE() << "c" << client.number << " hears " << describe(*packet) << ": " << wrong;
    }
  }

  std::string take(Client& client, const Connack& connack) {
    if (connack.reason != Reason::success) return "refused";
    if (client.had_session && !connack.session_present) return "its session is lost";
    client.connected = client.had_session = true;
    for (const Client::Sending& message : client.sending) send(client, message, true);
    if (!client.granted) {
      Subscribe subscribe;
      subscribe.packet_id = 100;
      subscribe.requests = {{"#", {client.asks_for(), false, false}, 2}};
      client.peer.send(subscribe);
    }
    return {};
  }

  std::string take(Client& client, const Suback& suback) {
    std::uint64_t since = world_.revision();
    for (const Property& property : suback.properties) {
      if (property.text == "revision") since = std::stoull(std::string(property.value));
    }
    client.subscribed(static_cast<QoS>(suback.reasons.at(0)), since, told_);
    return {};
  }

  std::string take(Client& client, const Publish& publish) { return client.hears(publish, told_); }

  std::string take(Client& client, const Pubrel& pubrel) {
    return client.is_released(pubrel.packet_id);
  }

  std::string take(Client& client, const Puback& puback) {
    return client.has_sent(puback.packet_id);
  }

  std::string take(Client& client, const Pubrec& pubrec) {
    const Client::Sending* message = client.is_received(pubrec.packet_id);
    if (message == nullptr) return "PUBREC for nothing";
    send(client, *message, false);
    return {};
  }

  std::string take(Client& client, const Pubcomp& pubcomp) {
    return client.has_sent(pubcomp.packet_id);
  }

  template <class Other>
  std::string take(Client&, const Other&) {
    return {};
  }

  void check_bounds() {
    const Figures figures = world_.figures();
    EXPECT_LE(figures.backlog_bytes, small_limits().mqtt_backlog_bytes);
    EXPECT_EQ(figures.dropped_queue_full, 0u);
  }

  // -- the end ------------------------------------------------------------------------------

  // Everybody returns, reads and acknowledges until there is nothing more; then nobody misses
  // anything.
  void end_in_peace() {
    world_.announce();
    world_.writes_state = true;
    world_.write_state();
    world_.pump();
    settle();
    for (Client& client : clients_) {
      if (!client.connected) connect(client);
      read(client);
      settle();
    }
    for (bool more = true; more && !::testing::Test::HasFailure();) {
      more = world_.broker().unfinished();
      world_.advance_to_the_end();
      settle();
      for (Client& client : clients_) {
        while (!client.order.empty() || !client.released.empty()) {
          more = true;
          acknowledge(client);
          settle();
          if (::testing::Test::HasFailure()) return;
        }
      }
    }
    for (const Client& client : clients_) {
      const std::string missing = client.missing(told_);
      EXPECT_EQ(missing, "") << "c" << client.number;
    }
    told_.have_all_been_heard();
    world_.writes_state = false;
  }

  json::Dice dice_;
  World world_{small_limits()};
  std::deque<Client> clients_;
  std::vector<std::pair<Client*, std::string>> arrived_;
  Told told_;
  const bool traces_ = std::getenv("DOCTOR_TRACE") != nullptr;
  std::size_t crashes_ = 0;
};

TEST(CrashProperty, NothingIsLostNorComesTwiceHoweverOftenTheBrokerIsKilled) {
  const std::uint64_t first = json::test_seed();
  std::size_t crashes = 0;
  for (int i = 0; i < json::test_runs(25) && !HasFailure(); ++i) {
    SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(first + i));
    CrashRun run(first + i);
    run.steps(20'000);
    crashes += run.crashes();
  }
  EXPECT_GT(crashes, 20u);
}

}  // namespace
}  // namespace doctor::mqtt::testing
