// A broker with a few clients, driven by bytes: connections, packets, rubbish, commits, edits of
// sessions, time, sockets that read and sockets that do not, sessions that outlive them, wills and
// retained messages. Whatever happens: nothing is delivered that was not announced or published,
// nothing to whom it is forbidden, nothing above the QoS that was granted, nobody who hears
// everything and is connected misses a change, nobody is given a message of QoS 2 again that he has
// received, and queues keep their bounds.
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"
#include "doctor/mqtt/broker.hpp"
#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/encode.hpp"
#include "doctor/mqtt/topic.hpp"
#include "require.hpp"

using namespace doctor;
using namespace doctor::mqtt;
using document::Permissions;
using document::Principal;

namespace {

constexpr std::array<std::string_view, 8> ids{"1", "2", "a/b", "%2F", "+", "#", "/", "x"};
constexpr std::array<std::string_view, 10> filters{"#",        "vm/#",   "vm/+", "vm/1", "+/2",
                                                   "vm/a%2Fb", "$SYS/#", "vm/x", "+/+",  "host/#"};
constexpr std::array<std::string_view, 5> permissions{
    "\"*\"", R"({"vm":"*"})", R"({"vm":["1","a/b","#"]})", R"({"vm":"2","host":"*"})", "{}"};

Limits small_limits() {
  Limits limits;
  limits.mqtt_packet = 4096;
  limits.mqtt_queue_messages = 20;
  limits.mqtt_queue_bytes = 2000;
  limits.mqtt_inflight = 4;
  limits.mqtt_backlog_bytes = 1000;
  limits.mqtt_subscriptions = 4;
  limits.mqtt_retained_messages = 3;
  limits.mqtt_sessions = 3;
  return limits;
}

// One document's change, by the only payload that announces it.
struct Announced {
  std::string topic;
  std::string collection;
  std::string id;
  std::uint64_t revision;
  std::size_t number;  // among all
};

struct Socket {
  ConnectionId id;
  bool is_open = false;
  bool is_connected = false;
  Version version = Version::v5_0;
  Principal::Kind kind = Principal::Kind::anyone;
  std::string session;
  std::uint64_t last_revision = 0;
  std::size_t next_change = 0;         // after the last change that it heard of
  std::uint64_t last_publication = 0;  // that it heard live
  std::uint64_t ended_revision = 0;
  // Of a connector that is subscribed to everything: the change that it must hear next, and after
  // which revision.
  std::optional<std::size_t> next;
  std::uint64_t all_after = 0;
  std::uint16_t for_everything = 100;  // the identifier of a SUBSCRIBE to `#` that still holds

  void may_miss_some() {
    next.reset();
    ++for_everything;
  }
  std::string client;  // principal and client id
  std::map<std::uint32_t, std::string> aliases;
  struct Unacknowledged {
    std::uint16_t id;
    QoS qos;
    bool retained;
    std::string payload;
  };
  std::vector<Unacknowledged> unacknowledged;
};

// All principals and client ids that there are.
constexpr std::size_t sessions_max = 4 * 2;

class Driver {
 public:
  explicit Driver(Bytes bytes) : bytes_(bytes) {}

  void run() {
    while (!bytes_.empty()) {
      step();
      const Figures figures = broker_.figures();
      // One answer more than the bound may stand in a queue when it is found to be full.
      const std::size_t in_flight = limits_.mqtt_inflight * std::size_t{1000};
      require(figures.queued_bytes <=
              sessions_max * (2 * limits_.mqtt_queue_bytes + 4096 + in_flight));
      require(figures.backlog_bytes <= limits_.mqtt_backlog_bytes);
      require(figures.subscriptions <= sessions_max * limits_.mqtt_subscriptions);
      require(figures.retained <= limits_.mqtt_retained_messages);
      require(figures.sessions_away <= limits_.mqtt_sessions);
    }
    read_to_the_end();
    for (const Socket& socket : sockets_)
      require(!socket.next || *socket.next == announced_.size());
  }

 private:
  // Everybody reads and acknowledges until there is nothing more.
  void read_to_the_end() {
    announce();
    for (bool more = true; more;) {
      more = broker_.unfinished();
      broker_.advance(now_);
      for (Socket& socket : sockets_) {
        read(socket);
        more = more || !socket.unacknowledged.empty();
        while (!socket.unacknowledged.empty()) acknowledge(socket);
      }
    }
  }

  void step() {
    Socket& socket = sockets_[bytes_.below(4)];
    switch (bytes_.below(15)) {
      case 0:
        return connect(socket);
      case 1:
        return subscribe(socket);
      case 2:
        socket.may_miss_some();
        return send(socket, Unsubscribe{1, {}, {filters[bytes_.below(filters.size())]}});
      case 3:
        return publish(socket);
      case 4:
        return rubbish(socket);
      case 5:
        return acknowledge(socket);
      case 6:
      case 7:
      case 8:
        return commit();
      case 9:
        return announce();
      case 10:
        broker_.advance(now_);
        return;
      case 11:
        return read(socket);
      case 12:
        return pass(std::chrono::milliseconds(bytes_.below(256) * 200));
      case 13:
        if (socket.is_open) broker_.closed(socket.id, now_);
        socket = {};
        return;
      default:
        return operate();
    }
  }

  void connect(Socket& socket) {
    if (socket.is_open) broker_.closed(socket.id, now_);
    socket = {};
    socket.id = broker_.accept("10.0.0.1", now_, wall_);
    socket.is_open = true;
    Connect connect;
    connect.version = bytes_.below(2) == 0 ? Version::v3_1_1 : Version::v5_0;
    socket.version = connect.version;
    connect.client_id = std::string_view("ab").substr(bytes_.below(2), 1);
    connect.keep_alive = static_cast<std::uint16_t>(bytes_.below(3) * 10);
    connect.clean_start = bytes_.below(2) == 0;
    const bool is_v5 = connect.version == Version::v5_0;
    if (is_v5 && bytes_.below(2) == 0) {
      connect.properties.add(PropertyId::session_expiry_interval, bytes_.below(3) * 20);
    }
    if (is_v5) connect.properties.add(PropertyId::topic_alias_maximum, bytes_.below(2) * 2);
    const std::string gone = "published " + std::to_string(++published_);
    if (bytes_.below(4) == 0) {
      connect.will =
          Will{static_cast<QoS>(bytes_.below(3)), bytes_.below(2) == 0, "vm/1", gone, {}};
      publications_[gone] = {published_, connect.will->qos, true};
      if (is_v5) connect.will->properties.add(PropertyId::will_delay_interval, bytes_.below(2) * 5);
    }
    const unsigned who = bytes_.below(4);
    constexpr std::array<std::string_view, 4> users{"connector", "s1", "s2", "nobody"};
    connect.user_name = users[who];
    socket.client = std::string(users[who]) + " " + std::string(connect.client_id);
    socket.aliases.clear();
    const bool is_refused = who != 0 && connect.will;  // and takes nothing over
    if (connect.clean_start && !is_refused) {
      received_[socket.client].clear();
      granted_[socket.client] = QoS::at_most_once;
    }
    send(socket, connect);
    socket.kind = who == 0 ? Principal::Kind::connector : Principal::Kind::session;
    if (who != 0) socket.session = std::string(users[who]);
  }

  void subscribe(Socket& socket) {
    const SubscriptionOptions options{static_cast<QoS>(bytes_.below(3)), false, false};
    const unsigned filter = bytes_.below(filters.size());
    const std::uint16_t id = filter == 0 ? socket.for_everything : std::uint16_t{7};
    Subscribe packet{
        id, {}, {{filters[filter], options, static_cast<std::uint8_t>(bytes_.below(3))}}};
    if (socket.version == Version::v5_0 && bytes_.below(3) == 0) {
      packet.properties.add(PropertyId::subscription_identifier, 1 + bytes_.below(200));
    }
    QoS& granted = granted_[socket.client];
    granted = std::max(granted, options.qos);
    send(socket, packet);
  }

  void publish(Socket& socket) {
    const std::string topic = document_topic("vm", ids[bytes_.below(ids.size())]);
    const std::string payload = "published " + std::to_string(++published_);
    Publish publish;
    publish.qos = static_cast<QoS>(bytes_.below(3));
    publish.packet_id = publish.qos == QoS::at_most_once ? 0 : std::uint16_t{9};
    publish.retain = bytes_.below(3) == 0;
    publish.topic = topic;
    publish.payload = payload;
    publications_[payload] = {published_, publish.qos, false};
    send(socket, publish);
    if (bytes_.below(2) == 0) send(socket, Pubrel{9, Reason::success, {}});
  }

  // An operator looks at all clients, and may disconnect one.
  void operate() {
    std::map<std::string, bool> seen;  // whether it is connected
    std::optional<std::uint32_t> from = 0;
    for (const std::size_t limit = 1 + bytes_.below(3); from;) {
      const ClientPage page = broker_.clients(*from, limit);
      require(page.clients.size() <= limit && (!page.next || *page.next > *from));
      from = page.next;
      for (const ClientView& view : page.clients) {
        require(seen.emplace(view.id, view.connection.has_value()).second);
        require(view.connection.has_value() != view.away.has_value());
        require(view.outbox.messages <= limits_.mqtt_queue_messages);
        require(view.inflight.messages <= limits_.mqtt_inflight);
      }
    }
    require(seen.size() <= sessions_max);
    if (seen.empty() || bytes_.below(2) == 0) return;
    const auto chosen = std::next(seen.begin(), bytes_.below(static_cast<unsigned>(seen.size())));
    const bool ends = bytes_.below(2) == 0;
    const auto done = broker_.disconnect(chosen->first, ends, now_);
    require(done && done->was_connected == chosen->second && (!ends || done->session_ended));
    const auto left = broker_.client(chosen->first);
    require(left.has_value() != done->session_ended && !(left && left->connection));
    require(!broker_.disconnect("connector:nobody", ends, now_));
  }

  void rubbish(Socket& socket) {
    socket.may_miss_some();
    if (!socket.is_open) return;
    // It may be a SUBSCRIBE, and of a connector a PUBLISH of anything.
    granted_[socket.client] = QoS::exactly_once;
    has_rubbish_ = has_rubbish_ || socket.kind == Principal::Kind::connector;
    broker_.receive(socket.id, bytes_.some(64), now_, wall_);
  }

  void acknowledge(Socket& socket) {
    if (socket.unacknowledged.empty()) return;
    const auto first = socket.unacknowledged.front();
    socket.unacknowledged.erase(socket.unacknowledged.begin());
    if (first.qos == QoS::at_least_once) return send(socket, Puback{first.id, Reason::success, {}});
    // A retained message may be heard again with each subscription.
    if (!first.retained) received_[socket.client][first.payload] = first.id;
    send(socket, Pubrec{first.id, Reason::success, {}});
    send(socket, Pubcomp{first.id, Reason::success, {}});
  }

  void send(Socket& socket, const Packet& packet) {
    std::string bytes;
    encode(packet, socket.version, bytes);
    if (socket.is_open) broker_.receive(socket.id, bytes, now_, wall_);
  }

  void commit() {
    auto commit = std::make_shared<document::Commit>();
    commit->revision = document::Revision(++revision_);
    for (unsigned count = bytes_.below(4); count > 0; --count) {
      document::Change change{document::ChangeKind::updated,
                              bytes_.below(3) == 0 ? "host" : "vm",
                              std::string(ids[bytes_.below(ids.size())]),
                              {"change" + std::to_string(announced_.size())}};
      Announced& announced = announced_[change.fields[0]];
      announced = {document_topic(change.collection, change.id), change.collection, change.id,
                   revision_, announced_.size() - 1};
      commit->changes.push_back(std::move(change));
    }
    first_after_.push_back(announced_.size());
    if (bytes_.below(3) == 0) {
      const std::string id = bytes_.below(2) == 0 ? "s1" : "s2";
      auto session = make_session(id);
      if (bytes_.below(6) == 0) session = nullptr;
      set_session(id, session);
      commit->sessions.push_back({id, session});
    }
    waiting_.push_back(commit);
    log_.push_back(commit);
    if (bytes_.below(4) != 0) announce();
  }

  std::shared_ptr<const document::Session> make_session(const std::string& id) {
    auto session = std::make_shared<document::Session>();
    session->id = id;
    session->permissions =
        Permissions::parse(permissions[bytes_.below(permissions.size())]).value();
    return session;
  }

  void set_session(const std::string& id, std::shared_ptr<const document::Session> session) {
    history_[id][revision_] = std::move(session);
  }

  // The session as it was from the commit with this revision on; null if there was none.
  const document::Session* session_at(const std::string& id, std::uint64_t revision) const {
    const auto& states = history_.at(id);
    const auto after = states.upper_bound(revision);
    return after == states.begin() ? nullptr : std::prev(after)->second.get();
  }

  void announce() {
    broker_.announce(waiting_, now_);
    waiting_.clear();
    newest_told_ = revision_;
  }

  void pass(std::chrono::milliseconds time) {
    now_ += time;
    wall_.value += time.count();
    broker_.tick(now_, wall_);
  }

  void read(Socket& socket) {
    for (const Attention& attention : broker_.attention()) {
      for (Socket& other : sockets_) {
        if (other.is_open && other.id == attention.connection && attention.close) {
          hear(other);
          broker_.closed(other.id, now_);
          other = {};
        }
      }
    }
    if (socket.is_open) hear(socket);
  }

  void hear(Socket& socket) {
    std::string all;
    for (;;) {
      const std::size_t before = all.size();
      broker_.output(socket.id, 100, all, now_);
      const auto batch = broker_.take_state();
      if (batch) broker_.persisted(batch->number, now_);
      if (all.size() == before && !batch) break;
    }
    Splitter splitter(1 << 20);
    std::string_view input = all;
    for (;;) {
      const auto frame = splitter.next(input);
      require(frame.has_value());
      if (!*frame) break;
      const auto packet = decode(**frame, socket.version);
      require(packet.has_value());
      if (!socket.is_connected) {
        const auto* connack = std::get_if<Connack>(&*packet);
        require(connack != nullptr);
        require(connack->reason != Reason::success || socket.session != "nobody");
        socket.is_connected = connack->reason == Reason::success;
        if (!connack->session_present) received_[socket.client].clear();
      } else if (const auto* suback = std::get_if<Suback>(&*packet)) {
        hear_all_after(socket, *suback);
      } else if (const auto* publish = std::get_if<Publish>(&*packet)) {
        check(socket, *publish);
      }
    }
  }

  void hear_all_after(Socket& socket, const Suback& suback) {
    const bool granted = !is_failure(suback.reasons.at(0));
    if (suback.packet_id != socket.for_everything || !granted || socket.next) return;
    if (socket.kind != Principal::Kind::connector) return;
    for (const Property& property : suback.properties) {
      if (property.text != "revision") continue;
      socket.all_after = std::stoull(std::string(property.value));
      socket.next = first_after_[socket.all_after];
    }
  }

  void check(Socket& socket, const Publish& publish) {
    if (publish.qos != QoS::at_most_once) {
      socket.unacknowledged.push_back(
          {publish.packet_id, publish.qos, publish.retain, std::string(publish.payload)});
      require(socket.unacknowledged.size() <= limits_.mqtt_inflight);
    }
    if (publish.qos == QoS::exactly_once) {
      // Once: it was published once, and there is one copy however many filters match. Only if the
      // PUBREC was lost with the connection may it come again, by the same identifier.
      const auto& received = received_[socket.client];
      const auto again = received.find(std::string(publish.payload));
      const bool lost =
          publish.dup && again != received.end() && again->second == publish.packet_id;
      require(again == received.end() || lost || publish.retain);
    }
    std::string topic(publish.topic);
    if (const auto alias = publish.properties.number(PropertyId::topic_alias)) {
      if (!topic.empty()) socket.aliases[*alias] = topic;
      topic = socket.aliases.at(*alias);
    }
    require(publish.qos <= granted_[socket.client]);
    const bool is_session = socket.kind == Principal::Kind::session;
    const document::Session* newest =
        is_session ? session_at(socket.session, newest_told_) : nullptr;
    require(!is_session || newest != nullptr);
    const auto found = announced_.find(publish.payload);
    if (found == announced_.end()) {
      require(!is_session || newest->permissions.reads_everything());
      if (!has_rubbish_) check_publication(socket, publish);
      return;
    }
    const Announced& announced = found->second;
    require(topic == announced.topic);
    if (is_session) {
      const document::Session* then = session_at(socket.session, announced.revision);
      require(then != nullptr && then->permissions.may_read(announced.collection, announced.id));
      require(newest->permissions.may_read(announced.collection, announced.id));
    }
    if (socket.next && announced.revision > socket.all_after) {
      require(announced.number == *socket.next);
      ++*socket.next;
    }
    require(announced.number >= socket.next_change);
    socket.next_change = announced.number + 1;
    require(announced.revision >= socket.last_revision);
    require(announced.revision > socket.ended_revision);
    socket.last_revision = announced.revision;
    if (socket.version != Version::v5_0) return;
    bool told = false;
    for (const Property& property : publish.properties) {
      told |= property.text == "revision" && property.value == std::to_string(announced.revision);
      if (property.text == "commit") socket.ended_revision = announced.revision;
    }
    require(told);
  }

  // Clients' messages come in their order, but for retained ones and wills.
  void check_publication(Socket& socket, const Publish& publish) {
    const auto found = publications_.find(publish.payload);
    require(found != publications_.end() && publish.qos <= found->second.qos);
    if (publish.retain || found->second.is_will) return;
    require(found->second.number > socket.last_publication);
    socket.last_publication = found->second.number;
  }

  std::optional<document::CommitPart> read_log(std::uint64_t revision, std::uint64_t from,
                                               std::size_t max_changes) const {
    const auto& all = log_.at(revision - 1)->changes;
    const std::size_t end = std::min(from + std::min<std::size_t>(max_changes, 2), all.size());
    const auto at = [&](std::size_t i) { return all.begin() + static_cast<std::ptrdiff_t>(i); };
    return document::CommitPart{{at(from), at(end)}, end, end == all.size()};
  }

  std::optional<LoggedIn> login(const Credentials& credentials) {
    if (!credentials.user_name) return std::nullopt;
    const document::Revision revision(revision_);
    if (*credentials.user_name == "connector") {
      return LoggedIn{{Principal::Kind::connector, nullptr}, revision};
    }
    const auto found = history_.find(*credentials.user_name);
    if (found == history_.end() || !found->second.rbegin()->second) return std::nullopt;
    return LoggedIn{{Principal::Kind::session, found->second.rbegin()->second}, revision};
  }

  Bytes bytes_;
  const Limits limits_ = small_limits();
  std::array<Socket, 4> sockets_{};
  std::map<std::string, Announced, std::less<>> announced_;
  std::map<std::string, std::map<std::uint64_t, std::shared_ptr<const document::Session>>> history_{
      {"s1", {{0, make_session("s1")}}},
      {"s2", {{0, make_session("s2")}}},
      {"nobody", {{0, nullptr}}}};
  struct Published {
    std::uint64_t number = 0;
    QoS qos{};
    bool is_will = false;
  };
  std::map<std::string, Published, std::less<>> publications_;  // by payload
  std::map<std::string, QoS> granted_;  // by client: the highest that its session may have
  bool has_rubbish_ = false;            // of a connector
  // By client: what it has received at QoS 2, and by which identifier.
  std::map<std::string, std::map<std::string, std::uint16_t>> received_;
  std::vector<document::CommitPtr> waiting_;
  std::vector<document::CommitPtr> log_;
  std::vector<std::size_t> first_after_{0};  // by revision: the first change after it
  std::uint64_t revision_ = 0;
  std::uint64_t newest_told_ = 0;
  std::uint64_t published_ = 0;
  Clock::time_point now_{std::chrono::hours(1)};
  Timestamp wall_{1'700'000'000'000};
  Broker broker_{limits_,
                 [this](const Credentials& c) { return login(c); },
                 [this](std::string_view, Clock::time_point) {
                   return std::chrono::milliseconds(bytes_.below(4) * 250);
                 },
                 [](ConnectionId) { return false; },
                 [this](document::Revision revision, std::uint64_t from, std::size_t max_changes) {
                   return read_log(revision.value, from, max_changes);
                 },
                 [](std::string_view) {}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Driver(Bytes(data, size)).run();
  return 0;
}
