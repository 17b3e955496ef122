#include <deque>
#include <iostream>
#include <set>

#include <gtest/gtest.h>

#include "doctor/json/random_json.hpp"
#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/test_broker.hpp"

// Clients that keep to the standard, whose sessions outlive their connections, and a broker that is
// killed at random, with a random part of its state on the disk. Through all of it nothing is lost
// that was acknowledged to its publisher or announced, nothing comes twice at QoS 2, nothing is
// sent above the QoS that was granted, out of order, or under an identifier in use.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t inflight_max = 5;

// One client: what it must not forget while it is away, as the standard asks of it.
struct Steadfast {
  Steadfast(Peer& p, int n) : peer(p), number(n) {}

  Peer& peer;
  const int number;
  bool is_v5 = true;
  bool connected = false;  // CONNACK came
  bool reads = true;
  bool had_session = false;
  Splitter splitter{1 << 20};

  // As a publisher: not acknowledged to the end, in order.
  struct Sending {
    std::uint16_t id = 0;
    QoS qos{};
    std::string topic;
    std::string payload;
    bool retain = false;
    bool received = false;  // PUBREC came
  };
  std::deque<Sending> sending;
  std::uint16_t next_id = 0;

  // As a subscriber.
  std::optional<QoS> granted;
  std::optional<std::uint64_t> since;       // the revision that SUBACK told
  std::size_t posts_since = 0;              // what was published before this one it need not hear
  std::set<std::uint16_t> received;         // QoS 2, until PUBREL
  std::map<std::uint16_t, QoS> to_answer;   // of this connection: what is owed an answer
  std::deque<std::uint16_t> order;          // of these
  std::set<std::uint16_t> released;         // PUBREL came: PUBCOMP is owed
  std::map<std::string, int> heard;         // payload, how often, without what it knows to be again
  std::map<std::string, std::size_t> last;  // by source and QoS: the newest number
};

struct Post {
  int publisher = 0;
  std::string topic;
  QoS qos{};
  bool sent_again = false;
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
      Steadfast& client = clients_.emplace_back(peer, i);
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
  void note(const Steadfast& client, const std::string& line) const {
    if (traces_) std::cout << "c" << client.number << " " << line << "\n";
  }

  void step() {
    Steadfast& client = clients_[below(clients)];
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

  void connect(Steadfast& client) {
    client.connected = false;
    client.reads = true;
    client.is_v5 = !chance(3);
    client.splitter = Splitter(1 << 20);
    client.to_answer.clear();
    client.order.clear();
    client.released.clear();
    note(client, "connects");
    client.peer.hang_up();
    client.peer.connect(client.is_v5 ? Version::v5_0 : Version::v3_1_1, [](Connect& connect) {
      connect.clean_start = false;
      if (connect.version != Version::v5_0) return;
      connect.properties.add(PropertyId::session_expiry_interval, 100'000);
    });
  }

  void hang_up(Steadfast& client) {
    note(client, "hangs up");
    client.connected = false;
    client.peer.hang_up();
    world_.pump();
  }

  void read(Steadfast& client) {
    client.reads = true;
    client.peer.read();
  }

  void crash() {
    ++crashes_;
    for (Steadfast& client : clients_) client.connected = false;
    if (traces_) std::cout << "CRASH\n";
    arrived_.clear();
    world_.crash(chance(2));
  }

  // -- what they do -------------------------------------------------------------------------

  void publish(Steadfast& client) {
    // A session may not publish; who has as many under way as the broker allows must wait.
    if (!client.connected || client.number % 3 == 2 || client.sending.size() >= inflight_max)
      return;
    const QoS qos = static_cast<QoS>(1 + below(2));
    const std::string payload = "post" + std::to_string(posts_.size());
    do {
      client.next_id = static_cast<std::uint16_t>(client.next_id % 9 + 1);
    } while (std::any_of(client.sending.begin(), client.sending.end(),
                         [&](const auto& s) { return s.id == client.next_id; }));
    const bool retain = chance(5);
    const std::string topic = retain ? "kept/" + std::to_string(client.number) : "news";
    posts_.push_back({client.number, topic, qos});
    client.sending.push_back({client.next_id, qos, topic, payload, retain, false});
    note(client, "publishes " + payload + " at " + std::to_string(static_cast<int>(qos)));
    send(client, client.sending.back(), false);
  }

  void send(Steadfast& client, const Steadfast::Sending& message, bool dup) {
    if (message.received) {
      client.peer.send(Pubrel{message.id, Reason::success, {}});
      return;
    }
    if (dup) posts_[std::stoull(message.payload.substr(4))].sent_again = true;
    client.peer.publish(message.topic, message.payload, static_cast<int>(message.qos),
                        [&](Publish& publish) {
                          publish.packet_id = message.id;
                          publish.retain = message.retain;
                          publish.dup = dup;
                        });
  }

  // Answers what came first, or what the broker has released.
  void acknowledge(Steadfast& client) {
    if (!client.connected || !client.reads) return;
    if (!client.released.empty() && chance(2)) {
      const std::uint16_t id = *client.released.begin();
      client.released.erase(id);
      note(client, "PUBCOMP " + std::to_string(id));
      client.peer.send(Pubcomp{id, Reason::success, {}});
      return;
    }
    if (client.order.empty()) return;
    const std::uint16_t id = client.order.front();
    client.order.pop_front();
    note(client, "acknowledges " + std::to_string(id));
    const QoS qos = client.to_answer.at(id);
    client.to_answer.erase(id);
    if (qos == QoS::at_least_once) {
      client.peer.send(Puback{id, Reason::success, {}});
    } else {
      client.peer.send(Pubrec{id, Reason::success, {}});
    }
  }

  void commit() {
    std::vector<document::Change> changes;
    for (std::size_t count = below(chance(30) ? 300 : 4); count > 0; --count) {
      changes.push_back(updated("vm", "1", {"change" + std::to_string(changes_.size())}));
      changes_.push_back(world_.revision() + 1);
    }
    if (traces_) std::cout << "commit up to change " << changes_.size() << "\n";
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
    for (Steadfast& client : clients_) {
      if (client.connected && client.peer.is_over()) {
        ADD_FAILURE() << "c" << client.number << " was disconnected";
      }
    }
  }

  void split(Steadfast& client, std::string_view bytes) {
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

  std::string take(Steadfast& client, const Connack& connack) {
    if (connack.reason != Reason::success) return "refused";
    if (client.had_session && !connack.session_present) return "its session is lost";
    client.connected = client.had_session = true;
    for (const Steadfast::Sending& message : client.sending) send(client, message, true);
    if (!client.granted) {
      const auto qos = static_cast<QoS>(client.number % 3);
      Subscribe subscribe;
      subscribe.packet_id = 100;
      subscribe.requests = {{"#", {qos, false, false}, 2}};
      client.peer.send(subscribe);
    }
    return {};
  }

  std::string take(Steadfast& client, const Suback& suback) {
    client.granted = static_cast<QoS>(suback.reasons.at(0));
    client.since = world_.revision();
    for (const Property& property : suback.properties) {
      if (property.text == "revision") client.since = std::stoull(std::string(property.value));
    }
    client.posts_since = posts_.size();
    return {};
  }

  std::string take(Steadfast& client, const Publish& publish) {
    const QoS qos = publish.qos;
    const std::string payload(publish.payload);
    const bool is_post = payload.starts_with("post");
    const std::size_t number = std::stoull(payload.substr(is_post ? 4 : 6));
    if (number >= (is_post ? posts_.size() : changes_.size()))
      return "neither published nor announced";
    if (is_post && posts_[number].topic != publish.topic) return "under another topic";
    const QoS asked = static_cast<QoS>(client.number % 3);
    if (qos > asked || (is_post && qos > posts_[number].qos))
      return "above the QoS that was granted";
    if (qos != QoS::at_most_once) {
      const std::uint16_t id = publish.packet_id;
      if (client.to_answer.contains(id) || client.released.contains(id)) {
        return "an identifier that is in use";
      }
      client.to_answer[id] = qos;
      client.order.push_back(id);
      if (client.to_answer.size() > inflight_max) return "over Receive Maximum";
      if (qos == QoS::exactly_once && !client.received.insert(id).second) {
        return publish.dup ? "" : "again, which it does not say";
      }
    }
    const int times = ++client.heard[payload];
    if (qos == QoS::exactly_once && times > 1) return "a second time";
    if (qos == QoS::at_most_once) return {};  // its publisher may have said it again
    const bool published_once = !is_post || posts_[number].qos == QoS::exactly_once;
    if (times > 1 && published_once && !publish.dup) return "a second time, which it does not say";
    if (times > 1) return {};
    // In order: the changes, and what one publishes at one QoS and has not sent again.
    if (is_post && posts_[number].sent_again) return {};
    const std::string source =
        (is_post ? "c" + std::to_string(posts_[number].publisher) + " " +
                       std::to_string(static_cast<int>(posts_[number].qos)) + publish.topic.data()
                 : "changes") +
        std::to_string(static_cast<int>(qos));
    std::size_t& last = client.last[source];
    if (number + 1 <= last) return "out of order";
    last = number + 1;
    return {};
  }

  std::string take(Steadfast& client, const Pubrel& pubrel) {
    if (client.to_answer.contains(pubrel.packet_id))
      return "released, though it was not acknowledged";
    client.received.erase(pubrel.packet_id);
    client.released.insert(pubrel.packet_id);
    return {};
  }

  std::string take(Steadfast& client, const Puback& puback) {
    return done(client, puback.packet_id);
  }

  std::string take(Steadfast& client, const Pubrec& pubrec) {
    for (Steadfast::Sending& message : client.sending) {
      if (message.id != pubrec.packet_id) continue;
      message.received = true;
      send(client, message, false);
      return {};
    }
    return "PUBREC for nothing";
  }

  std::string take(Steadfast& client, const Pubcomp& pubcomp) {
    return done(client, pubcomp.packet_id);
  }

  template <class Other>
  std::string take(Steadfast&, const Other&) {
    return {};
  }

  std::string done(Steadfast& client, std::uint16_t id) {
    const auto found = std::find_if(client.sending.begin(), client.sending.end(),
                                    [&](const auto& s) { return s.id == id; });
    if (found == client.sending.end()) return "an acknowledgement of nothing";
    client.sending.erase(found);
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
    for (Steadfast& client : clients_) {
      if (!client.connected) connect(client);
      read(client);
      settle();
    }
    for (bool more = true; more && !::testing::Test::HasFailure();) {
      more = world_.broker().unfinished();
      world_.advance_to_the_end();
      settle();
      for (Steadfast& client : clients_) {
        while (!client.order.empty() || !client.released.empty()) {
          more = true;
          acknowledge(client);
          settle();
          if (::testing::Test::HasFailure()) return;
        }
      }
    }
    for (Steadfast& client : clients_) check_complete(client);
    checked_changes_ = changes_.size();
    checked_posts_ = posts_.size();
    world_.writes_state = false;
  }

  void check_complete(const Steadfast& client) {
    EXPECT_TRUE(client.sending.empty()) << "not acknowledged: " << client.sending.front().payload;
    if (*client.granted == QoS::at_most_once) return;
    for (std::size_t i = checked_changes_; i < changes_.size(); ++i) {
      if (changes_[i] <= *client.since) continue;
      ASSERT_TRUE(client.heard.contains("change" + std::to_string(i)))
          << "c" << client.number << " misses change" << i << " of " << changes_[i] << ", since "
          << *client.since;
    }
    for (std::size_t i = std::max(client.posts_since, checked_posts_); i < posts_.size(); ++i) {
      ASSERT_TRUE(client.heard.contains("post" + std::to_string(i)))
          << "c" << client.number << " misses post" << i;
    }
  }

  json::Dice dice_;
  World world_{small_limits()};
  std::deque<Steadfast> clients_;
  std::vector<std::pair<Steadfast*, std::string>> arrived_;
  std::vector<Post> posts_;
  std::vector<std::uint64_t> changes_;  // their revisions
  const bool traces_ = std::getenv("DOCTOR_TRACE") != nullptr;
  std::size_t checked_changes_ = 0;
  std::size_t checked_posts_ = 0;
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
