#include <array>
#include <iostream>

#include <gtest/gtest.h>

#include "doctor/json/random_json.hpp"
#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/test_broker.hpp"
#include "doctor/mqtt/visibility_model.hpp"

// What each of many clients hears, held against the model, while documents, permissions,
// connections, subscriptions and time change at random.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

const Texts collections{"vm", "host"};
const Texts ids{"1", "2", "a/b", "%2F", "+", "#", "x"};
const Texts filters{"#",    "+/+",    "vm/#",   "vm/+",   "+/1",    "vm/1", "vm/a%2Fb", "vm/%23",
                    "/+/#", "host/#", "host/+", "host/2", "vm/1/#", "news", "news/#",   "+"};
const Texts topics{"vm/1", "host/2", "news", "news/1", "news/2", "/news"};
// One group of each principal, by the QoS that its members ask for.
const std::map<std::string, std::string> shares{{"connector", "$share/0/#"},
                                                {"s1", "$share/1/vm/#"},
                                                {"s2", "$share/2/#"},
                                                {"s3", "$share/2/#"}};
const Texts sessions_of_doctor{"s1", "s2", "s3"};

std::string topic_of(const std::string& collection, const std::string& id) {
  std::string topic = collection + "/";
  for (const char c : id) {
    constexpr std::string_view special = "%/+#";
    const Texts escaped{"%25", "%2F", "%2B", "%23"};
    const auto at = special.find(c);
    topic += at == special.npos ? std::string(1, c) : escaped[at];
  }
  return topic;
}

Limits small_limits() {
  Limits limits;
  limits.mqtt_queue_messages = 40;
  limits.mqtt_inflight = 6;
  limits.mqtt_backlog_bytes = 20'000;
  return limits;
}

// A socket and the client behind it.
struct Wire {
  explicit Wire(Peer& p) : peer(p) {}

  Peer& peer;
  std::string key;  // of its MQTT session, while connected; empty: it is not
  bool is_v5 = false;
  bool reads = true;
  bool expects_connack = false;
  bool expects_success = false;
  bool expects_present = false;
  std::map<std::uint16_t, Texts> subscribing;
  std::uint16_t last_packet_id = 1000;
  Splitter splitter{1 << 20};
  std::map<std::uint32_t, std::string> aliases;
};

class RandomRun {
 public:
  explicit RandomRun(std::uint64_t seed) : dice_(seed) {
    model_.crowd = 10;
    model_.now = world_.now();
    model_.wall = world_.wall();
    wires_.reserve(12);
    for (int i = 0; i < 12; ++i) {
      Wire& wire = wires_.emplace_back(world_.client("unnamed"));
      wire.peer.watch([this, &wire](std::string_view bytes) {
        if (!bytes.empty()) arrived_.emplace_back(&wire, bytes);
      });
    }
    for (const std::string& id : sessions_of_doctor) edit(id);
    commit();
  }

  void steps(int count) {
    for (; count > 0 && !::testing::Test::HasFailure(); --count) {
      step();
      finish();
      if (chance(200) || count == 1) drain();
    }
  }

 private:
  std::size_t below(std::size_t n) { return dice_() % n; }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  template <class List>
  auto& one_of(List&& list) {
    return list[below(list.size())];
  }
  // What happens, for people who look for a mistake: DOCTOR_TRACE=1.
  template <class... Parts>
  void note(const Parts&... parts) const {
    if (traces_) (std::cout << ... << parts) << "\n";
  }
  QoS qos() { return static_cast<QoS>(below(3)); }

  void step() {
    Wire& wire = one_of(wires_);
    if (chance(400)) return crash();
    if (wire.key.empty()) return connect(wire);
    switch (below(24)) {
      case 0:
        return leave(wire);
      case 1:
        return connect(wire);
      case 2:
      case 3:
        return subscribe(wire);
      case 4:
        return unsubscribe(wire);
      case 5:
      case 6:
      case 7:
        return publish(wire);
      case 8:
      case 9:
      case 10:
      case 11:
        return acknowledge(wire, 1 + below(4));
      case 12:
        note(wire.key, " stops reading");
        wire.reads = false;
        model_.sessions.at(wire.key).delayed = true;
        wire.peer.stop_reading();
        return;
      case 13:
      case 14:
        note(wire.key, " reads");
        wire.reads = true;
        wire.peer.read();
        return;
      case 15:
        return pass(500ms * (1 + below(chance(4) ? 70 : 8)));
      case 16:
        edit(one_of(sessions_of_doctor));
        return commit();
      case 17:
        return commit_many();
      default:
        if (chance(3)) some_changes(1 + below(4));
        return commit();
    }
  }

  // -- connections --------------------------------------------------------------------------

  void connect(Wire& wire) {
    hang_up(wire);
    if (model_.revision > model_.announced && chance(2)) announce();
    const std::string principal = chance(2) ? "connector" : one_of(sessions_of_doctor);
    connect_as(wire, principal, one_of(Texts{"a", "b", "share1", "share2"}), chance(4));
  }

  void connect_as(Wire& wire, const std::string& principal, const std::string& client, bool clean) {
    wire.is_v5 = !chance(3);
    wire.reads = wire.expects_connack = true;
    wire.splitter = Splitter(1 << 20);
    wire.aliases.clear();
    wire.subscribing.clear();
    const std::string key = principal + " " + client;
    const bool is_connector = principal == "connector";
    const bool known = is_connector || is_known(principal);
    const std::uint32_t expiry = one_of(std::array<std::uint32_t, 3>{0, 20, 1000});
    std::optional<Model::Post> will;
    std::uint32_t will_delay = 0;
    if (is_connector && chance(3)) {
      const std::string name = "will" + std::to_string(++number_);
      will = Model::Post{"news/" + name, name, qos(), chance(8), {}, key};
      if (wire.is_v5 && chance(2)) will->seconds = 1 + below(30);
      if (wire.is_v5) will_delay = chance(2) ? 0 : 5;
    }
    const std::size_t receive_max = 1 + below(8);
    wire.expects_success = known;
    note(key, " connects by ", (wire.is_v5 ? "5.0" : "3.1.1"), (clean ? " clean" : ""), " expiry ",
         expiry, (will ? " with " + will->payload : ""));
    if (known) {
      for (Wire& other : wires_) {
        if (other.key == key) other.key.clear();
      }
      Model::Session& session = model_.connect(key, principal, clean, wire.expects_present);
      session.is_v5 = wire.is_v5;
      session.receive_max = wire.is_v5 ? std::min<std::size_t>(receive_max, limits_.mqtt_inflight)
                                       : limits_.mqtt_inflight;
      session.expiry = std::chrono::seconds(expiry);
      if (!wire.is_v5)
        session.expiry = clean ? 0s : Clock::duration(limits_.mqtt_session_expiry_max);
      session.will = will;
      session.will_delay = std::chrono::seconds(will_delay);
      model_.settle();
      wire.key = key;
    }
    is_connector ? wire.peer.as_connector() : wire.peer.as_session(principal);
    wire.peer.connect(wire.is_v5 ? Version::v5_0 : Version::v3_1_1, [&](Connect& connect) {
      connect.client_id = client;
      connect.clean_start = clean;
      if (will) connect.will = Will{will->qos, will->retain, will->topic, will->payload, {}};
      if (!wire.is_v5) return;
      connect.properties.add(PropertyId::session_expiry_interval, expiry);
      connect.properties.add(PropertyId::receive_maximum, static_cast<std::uint32_t>(receive_max));
      connect.properties.add(PropertyId::topic_alias_maximum, chance(2) ? 3 : 0);
      if (will) connect.will->properties.add(PropertyId::will_delay_interval, will_delay);
      if (will && will->seconds) {
        connect.will->properties.add(PropertyId::message_expiry_interval, *will->seconds);
      }
    });
  }

  bool is_known(const std::string& session) const {
    const auto& newest = model_.history.at(session).rbegin()->second;
    return newest && !(newest->expires && *newest->expires <= model_.wall);
  }

  void hang_up(Wire& wire) {
    if (!wire.key.empty()) {
      note(wire.key, " hangs up");
      model_.leave(wire.key);
      model_.settle();
      wire.key.clear();
    }
    wire.peer.hang_up();
    world_.pump();
    finish();
  }

  void leave(Wire& wire) {
    if (chance(2)) return hang_up(wire);
    Model::Session& session = model_.sessions.at(wire.key);
    Disconnect disconnect;
    if (wire.is_v5 && chance(2)) disconnect.reason = Reason::disconnect_with_will;
    if (wire.is_v5 && chance(2) && session.expiry != Clock::duration{}) {
      const std::uint32_t expiry = chance(2) ? 0 : 50;
      disconnect.properties.add(PropertyId::session_expiry_interval, expiry);
      session.expiry = std::chrono::seconds(expiry);
    }
    note(wire.key, " sends ", describe(disconnect));
    if (disconnect.reason == Reason::success) session.will.reset();
    model_.leave(wire.key);
    model_.settle();
    wire.key.clear();
    wire.peer.send(disconnect);
  }

  void crash() {
    announce();
    world_.write_state();
    world_.pump();
    finish();
    note("CRASH");
    model_.crash();
    for (Wire& wire : wires_) wire.key.clear();
    world_.crash();
  }

  // -- what clients ask for -----------------------------------------------------------------

  void subscribe(Wire& wire) {
    Model::Session& session = model_.sessions.at(wire.key);
    const bool shared = wire.key.find("share") != wire.key.npos;
    Subscribe packet;
    packet.packet_id = ++wire.last_packet_id;
    std::optional<std::uint32_t> identifier;
    if (wire.is_v5 && chance(2)) identifier = 1 + below(300);
    if (identifier) packet.properties.add(PropertyId::subscription_identifier, *identifier);
    Texts& subscribing = wire.subscribing[packet.packet_id];
    // Views of the texts go into the packet.
    for (std::size_t count = 1 + below(2); count > 0; --count) {
      subscribing.push_back(shared ? shares.at(session.principal) : one_of(filters));
    }
    for (const std::string& filter : subscribing) {
      Subscribe::Request request{filter, {qos(), false, false}, 0};
      if (shared) request.options.qos = static_cast<QoS>(filter[7] - '0');
      if (wire.is_v5) {
        request.options.no_local = !shared && chance(4);
        request.options.retain_as_published = chance(3);
        request.retain_handling = static_cast<std::uint8_t>(below(3));
      }
      packet.requests.push_back(request);
      const auto& options = request.options;
      note(wire.key, " subscribes to ", filter, " at ", static_cast<int>(options.qos), " id ",
           identifier.value_or(0), " retain handling ", request.retain_handling,
           (options.no_local ? " no local" : ""),
           (options.retain_as_published ? " as published" : ""));
      if (shared) identifier.reset();
      model_.subscribe(session, filter,
                       {options.qos, options.no_local, options.retain_as_published, identifier},
                       request.retain_handling);
    }
    wire.peer.send(packet);
  }

  void unsubscribe(Wire& wire) {
    Model::Session& session = model_.sessions.at(wire.key);
    if (wire.key.find("share") != wire.key.npos) return;
    const std::string filter = one_of(filters);
    note(wire.key, " unsubscribes from ", filter);
    model_.unsubscribe(session, filter);
    wire.peer.unsubscribe(filter);
  }

  void publish(Wire& wire) {
    const std::string topic = one_of(topics);
    std::string payload = "post" + std::to_string(++number_);
    const bool retain = chance(4);
    if (retain && chance(4)) payload.clear();
    Model::Post post{topic, payload, qos(), retain, {}, wire.key};
    if (wire.is_v5 && chance(4)) post.seconds = 1 + below(20);
    note(wire.key, " publishes ", topic, " ", payload, " at ", static_cast<int>(post.qos),
         (retain ? " retain" : ""), " expiry ", post.seconds.value_or(0));
    if (wire.key.starts_with("connector")) model_.publish(post);
    std::uint16_t packet_id = 0;
    wire.peer.publish(topic, payload, static_cast<int>(post.qos), [&](Publish& publish) {
      packet_id = publish.packet_id;
      publish.retain = retain;
      if (post.seconds) {
        publish.properties.add(PropertyId::message_expiry_interval, *post.seconds);
      }
    });
    if (post.qos == QoS::exactly_once) wire.peer.send(Pubrel{packet_id, Reason::success, {}});
  }

  void acknowledge(Wire& wire, std::size_t count) {
    for (; count > 0 && wire.reads && !wire.key.empty(); --count) {
      if (::testing::Test::HasFailure()) return;
      auto& sent = model_.sessions.at(wire.key).sent;
      const auto next = std::find_if(sent.begin(), sent.end(), [](const auto& s) {
        return s.on_this_connection && (!s.received || s.released);
      });
      if (next == sent.end()) return;
      const std::uint16_t packet_id = next->message.packet_id;
      Packet answer = Puback{packet_id, Reason::success, {}};
      const bool refuses = wire.is_v5 && chance(8);
      if (next->released) {
        answer = Pubcomp{packet_id, Reason::success, {}};
      } else if (next->message.qos == QoS::exactly_once) {
        answer = Pubrec{packet_id, refuses ? Reason::unspecified_error : Reason::success, {}};
      }
      if (std::holds_alternative<Pubrec>(answer) && !refuses) {
        next->received = true;
      } else {
        sent.erase(next);
      }
      note(wire.key, " sends ", describe(answer));
      wire.peer.send(answer);
      finish();
    }
  }

  // -- documents, sessions of Doctor, time --------------------------------------------------

  void some_changes(std::size_t count) {
    for (; count > 0; --count) {
      const std::string collection = one_of(collections);
      std::string id = one_of(ids);
      std::string text = "f" + std::to_string(++number_);
      const bool is_new = chance(4);
      if (is_new) id = "new" + std::to_string(number_);
      std::string& created_one = chance(2) ? created_[0] : created_[1];
      if (is_new) {
        created_one = id;
        changes_.push_back(created(collection, id));
        text = "+";
      } else if (created_one.empty() || chance(2)) {
        changes_.push_back(updated(collection, id, {text}));
      } else {
        id = std::exchange(created_one, {});
        changes_.push_back(removed(collection, id));
        text = "-";
      }
      modelled_.push_back({collection, id, topic_of(collection, id), text, 0});
    }
  }

  void commit_many() {
    some_changes(chance(20) ? 5'000 : 60);
    commit();
  }

  void edit(const std::string& id) {
    if (chance(6)) {
      edits_[id] = std::nullopt;
      session_changes_[id] = world_.remove_session(id);
      return;
    }
    Allowed allowed;
    allowed.everything = chance(5);
    for (const std::string& collection : collections) {
      const std::size_t how = below(3);
      if (how == 0) continue;
      allowed.ids[collection];
      if (how == 1) continue;
      for (std::size_t count = 1 + below(4); count > 0; --count) {
        const std::string soon = "new" + std::to_string(number_ + 1 + below(8));
        allowed.ids[collection].insert(chance(3) ? soon : one_of(ids));
      }
    }
    if (chance(8)) allowed.expires = Timestamp(model_.wall.value + 10'000);
    edits_[id] = allowed;
    session_changes_[id] = world_.edit(id, allowed.text(), allowed.expires);
  }

  void commit() {
    if (chance(2)) some_changes(1 + below(3));
    std::vector<document::SessionChange> sessions;
    for (auto& [id, change] : session_changes_) sessions.push_back(change);
    note("commit ", model_.revision + 1);
    for (const Model::Change& change : modelled_) {
      if (modelled_.size() < 10) note("  ", change.topic, " ", change.payload);
    }
    for (const auto& [id, allowed] : edits_) {
      note("  ", id, " may read ", (allowed ? allowed->text() : "nothing: it is gone"));
    }
    model_.commit(std::exchange(modelled_, {}), std::exchange(edits_, {}));
    world_.commit_silently(std::exchange(changes_, {}), std::move(sessions));
    session_changes_.clear();
    if (!chance(4)) announce();
  }

  void announce() {
    note("announced");
    model_.announce();
    world_.announce();
    if (!chance(4)) world_.advance_to_the_end();
    finish();
  }

  void pass(std::chrono::milliseconds time) {
    if (model_.revision > model_.announced) announce();
    world_.advance_to_the_end();
    finish();
    note(time.count(), " ms pass");
    model_.pass(time);
    world_.pass(time);
  }

  // -- what has come of it ------------------------------------------------------------------

  void finish() {
    for (Wire& wire : wires_) {
      if (wire.key.empty()) continue;
      const auto found = model_.sessions.find(wire.key);
      if (found == model_.sessions.end()) {
        EXPECT_TRUE(wire.peer.is_over()) << wire.key << " is still connected";
        wire.key.clear();
      } else if (wire.peer.is_over()) {
        note(wire.key, " has been closed");
        const bool crowded = found->second.posts.size() >= model_.crowd;
        EXPECT_TRUE(!wire.reads || is_full(found->second) || crowded) << wire.key << " was closed";
        model_.leave(wire.key);
        model_.settle();
        wire.key.clear();
      }
    }
    // More may come while these are looked at: not from here.
    for (const auto& [wire, bytes] : std::exchange(arrived_, {})) split(*wire, bytes);
    if (world_.broker().unfinished()) return;
    for (Wire& wire : wires_) {
      if (wire.key.empty() || !wire.reads) continue;
      Model::Session& session = model_.sessions.at(wire.key);
      if (is_full(session)) continue;
      const std::string missing = model_.missing(session);
      if (!missing.empty()) ADD_FAILURE() << wire.key << " does not hear " << missing;
    }
  }

  // Whether it may be that it is sent no more until it acknowledges something. What need not be
  // sent again may still have its place.
  bool is_full(const Model::Session& session) const {
    const auto count = [&](auto which) {
      return static_cast<std::size_t>(
          std::count_if(session.sent.begin(), session.sent.end(), which));
    };
    if (count([](const auto& s) { return s.takes_quota; }) >= session.receive_max) return true;
    return session.sent.size() >= limits_.mqtt_inflight &&
           count([](const auto& s) { return s.on_this_connection; }) > 0;
  }

  void split(Wire& wire, std::string_view bytes) {
    for (;;) {
      const auto frame = wire.splitter.next(bytes);
      ASSERT_TRUE(frame.has_value());
      if (!*frame) return;
      const auto packet = decode(**frame, wire.is_v5 ? Version::v5_0 : Version::v3_1_1);
      ASSERT_TRUE(packet.has_value());
      if (traces_) note("    ", wire.key, " hears ", describe(*packet));
      const std::string wrong = std::visit([&](const auto& p) { return take(wire, p); }, *packet);
      if (!wrong.empty()) {
        ADD_FAILURE() << wire.key << " hears " << describe(*packet) << ": " << wrong;
      }
    }
  }

  std::string take(Wire& wire, const Connack& connack) {
    if (!std::exchange(wire.expects_connack, false)) return "unexpected";
    if ((connack.reason == Reason::success) != wire.expects_success) return "let in or not";
    if (!wire.expects_success) return {};
    return connack.session_present == wire.expects_present ? "" : "another Session Present";
  }

  std::string take(Wire& wire, const Suback& suback) {
    const auto found = wire.subscribing.find(suback.packet_id);
    if (found == wire.subscribing.end()) return "unexpected";
    std::uint64_t since = model_.revision;
    for (const Property& property : suback.properties) {
      if (property.text == "revision") since = std::stoull(std::string(property.value));
    }
    if (since > model_.revision) return "a revision still to come";
    auto& all = model_.sessions.at(wire.key).filters;
    for (const std::string& filter : found->second) {
      if (const auto held = all.find(filter); held != all.end()) {
        held->second.since = std::min(held->second.since, since);
      }
    }
    return {};
  }

  std::string take(Wire& wire, const Publish& publish) {
    Model::Heard heard;
    heard.topic = publish.topic;
    heard.payload = publish.payload;
    heard.qos = publish.qos;
    heard.dup = publish.dup;
    heard.retain = publish.retain;
    heard.packet_id = publish.packet_id;
    for (const Property& property : publish.properties) {
      if (property.id == PropertyId::topic_alias) {
        std::string& name = wire.aliases[property.number];
        heard.topic.empty() ? heard.topic = name : name = heard.topic;
      }
      if (property.id == PropertyId::subscription_identifier) heard.ids.insert(property.number);
      if (property.id == PropertyId::message_expiry_interval) heard.expiry = property.number;
      if (property.text == "revision") heard.revision = std::stoull(std::string(property.value));
      if (property.text == "commit") heard.commit_end = true;
    }
    if (wire.key.empty()) return "after its connection has ended";
    ++heard_;
    return model_.hear(wire.key, heard);
  }

  std::string take(Wire& wire, const Pubrel& pubrel) {
    if (wire.key.empty()) return {};
    return model_.released(model_.sessions.at(wire.key), pubrel.packet_id);
  }

  std::string take(Wire& wire, const Puback& puback) {
    if (wire.key.empty() || wire.key.starts_with("connector") || !wire.is_v5) return {};
    return puback.reason == Reason::not_authorized ? "" : "a session may not publish";
  }

  template <class Other>
  std::string take(Wire&, const Other&) {
    return {};
  }

  // Everybody reads and acknowledges until there is nothing more.
  void drain() {
    if (model_.revision > model_.announced) announce();
    world_.advance_to_the_end();
    finish();
    for (Wire& wire : wires_) {
      if (wire.key.empty()) continue;
      wire.reads = true;
      wire.peer.read();
      finish();
    }
    for (Wire& wire : wires_) {
      while (!wire.key.empty() && !model_.sessions.at(wire.key).sent.empty()) {
        acknowledge(wire, 1);
        world_.advance_to_the_end();
        finish();
        if (::testing::Test::HasFailure()) return;
      }
    }
  }

  json::Dice dice_;
  const Limits limits_ = small_limits();
  Model model_;
  World world_{limits_};
  std::vector<Wire> wires_;
  std::vector<std::pair<Wire*, std::string>> arrived_;
  std::uint64_t number_ = 0;
  std::uint64_t heard_ = 0;

  const bool traces_ = std::getenv("DOCTOR_TRACE") != nullptr;

  // The next commit.
  std::vector<document::Change> changes_;
  std::vector<Model::Change> modelled_;
  std::map<std::string, std::optional<Allowed>> edits_;
  std::map<std::string, document::SessionChange> session_changes_;
  std::array<std::string, 2> created_;
};

TEST(VisibilityProperty, EveryClientHearsWhatTheModelSaysAndNothingElse) {
  const std::uint64_t first = json::test_seed();
  for (int i = 0; i < json::test_runs(25) && !HasFailure(); ++i) {
    SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(first + i));
    RandomRun(first + i).steps(20'000);
  }
}

}  // namespace
}  // namespace doctor::mqtt::testing
