#include "doctor/mqtt/broker.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "doctor/base/crypto.hpp"
#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/encode.hpp"

namespace doctor::mqtt {
namespace {

// A CONNECT comes before it is known who sends it, so it may not take what a PUBLISH may.
constexpr std::size_t connect_packet_max = 64u << 10;

// Room for answers that an idle client keeps.
constexpr std::size_t answers_kept = 256;

constexpr unsigned place_bits = 32;

// For what waits to be read when a CONNECT is late.
constexpr std::chrono::milliseconds reading_time{100};

void remove_optional(Packet& packet) {
  std::visit(
      [](auto& p) {
        if constexpr (requires { p.properties; }) {
          p.properties.remove(PropertyId::reason_string);
          p.properties.remove(PropertyId::user_property);
        }
      },
      packet);
}

}  // namespace

Broker::Impl::Impl(const Limits& limits, Login login, FailedLogin failed_login,
                   HasUnread has_unread, document::ReadLog read_log,
                   std::function<void(std::string_view)> log)
    : limits_(limits),
      login_(std::move(login)),
      failed_login_(std::move(failed_login)),
      has_unread_(std::move(has_unread)),
      warnings_(std::move(log)),
      retained_([this](const PublicationPtr& publication, std::optional<std::uint64_t> kept) {
        keep_retained(publication, kept);
      }),
      feed_(std::move(read_log), limits.mqtt_backlog_bytes),
      place_(feed_.end()) {}

Client* Broker::Impl::find(ConnectionId connection) {
  const auto place = static_cast<std::uint32_t>(connection.value);
  if (place >= clients_.size() || !clients_[place]) return nullptr;
  Client* client = clients_[place].get();
  return client->id == connection ? client : nullptr;
}

void Broker::Impl::note_time(Clock::time_point now, Timestamp wall) {
  now_ = now;
  timeline_ = {now, wall};
}

ConnectionId Broker::Impl::accept(std::string peer, Clock::time_point now, Timestamp wall) {
  note_time(now, wall);
  auto place = static_cast<std::uint32_t>(clients_.size());
  if (free_places_.empty()) {
    clients_.emplace_back();
  } else {
    place = free_places_.back();
    free_places_.pop_back();
  }
  const ConnectionId id(std::uint64_t{++accepted_} << place_bits | place);
  clients_[place] = std::make_unique<Client>(id, std::move(peer),
                                             std::min(limits_.mqtt_packet, connect_packet_max));
  clients_[place]->deadline = now + limits_.mqtt_connect_timeout;
  arm(*clients_[place]);
  ++figures_.connections;
  return id;
}

void Broker::Impl::receive(ConnectionId connection, std::string_view bytes, Clock::time_point now,
                           Timestamp wall) {
  note_time(now, wall);
  Client* client = find(connection);
  if (client == nullptr) return;
  figures_.bytes_in += bytes.size();
  // Nothing after a packet that ended the connection is processed [MQTT-3.1.4-6].
  while (client->state == Client::State::connecting || client->state == Client::State::connected) {
    const auto frame = client->splitter.next(bytes);
    if (!frame) fail(*client, frame.error());
    if (!frame || !*frame) break;
    ++figures_.packets_in;
    client->heard = now;
    asks_before_ = state_.asks();
    if (client->state == Client::State::connecting) {
      connect(*client, **frame);
    } else {
      handle(*client, **frame);
    }
  }
  settle();
}

void Broker::Impl::closed(ConnectionId connection) {
  Client* client = find(connection);
  if (client == nullptr) return;
  leave(*client);
  const auto place = static_cast<std::uint32_t>(connection.value);
  clients_[place].reset();
  free_places_.push_back(place);
  --figures_.connections;
  settle();
}

void Broker::Impl::mark(Client& client) {
  if (client.named) return;
  client.named = true;
  named_.push_back(client.id);
}

bool Broker::Impl::is_welcome(const Client& client) const {
  return client.state == Client::State::connected && state_.is_durable(client.welcome);
}

bool Broker::Impl::send(Client& client, Packet packet) {
  const std::size_t before = client.answers.size();
  encode(packet, client.version, client.answers);
  if (client.answers.size() - before > client.packet_max) {
    client.answers.resize(before);
    remove_optional(packet);
    encode(packet, client.version, client.answers);
    if (client.answers.size() - before > client.packet_max) {
      client.answers.resize(before);
      return false;
    }
  }
  mark(client);
  return true;
}

void Broker::Impl::answer(Client& client, Packet packet) {
  if (client.state == Client::State::ending) return;  // by what it asked for
  const std::size_t begin = client.answers.size();
  const bool is_connack = std::holds_alternative<Connack>(packet);
  const bool opens = is_connack || std::holds_alternative<Suback>(packet);
  if (!send(client, std::move(packet))) {
    ++figures_.closed_packet_size;  // without a word: it may be the CONNACK that did not fit
    return drop(client);
  }
  if (state_.asks() != asks_before_) {
    hold(client, begin);
    if (is_connack) client.welcome = state_.next_batch();
    if (opens) client.opening = state_.next_batch();
  }
  // Who asks without end and does not read the answers is a slow consumer of another kind.
  if (client.answers.size() > limits_.mqtt_queue_bytes) {
    warnings_.warn(
        Warning::slow,
        "MQTT: closed " + client.peer + ": it does not read the answers (mqtt_queue_bytes)", now_);
    end(client, Reason::quota_exceeded, "the answers are not read", &Figures::closed_slow);
  }
}

void Broker::Impl::end(Client& client, Reason reason, std::string_view detail, Counter counter) {
  if (client.state == Client::State::ending) return;
  ++(figures_.*counter);
  forget_held(client);
  if (is_welcome(client) && client.is_v5()) {
    Disconnect disconnect{reason, {}};
    disconnect.properties.add(PropertyId::reason_string, detail);
    send(client, disconnect);
  }
  drop(client);
}

void Broker::Impl::release_held(Client& client) {
  std::erase_if(client.holds, [&](const auto& hold) { return state_.is_durable(hold.batch); });
}

void Broker::Impl::forget_held(Client& client) {
  release_held(client);
  if (client.holds.empty()) return;
  client.answers.resize(client.holds.front().begin);
  client.holds.clear();
}

void Broker::Impl::hold(Client& client, std::size_t begin) {
  const std::uint64_t batch = state_.next_batch();
  if (client.holds.empty() || client.holds.back().batch < batch) {
    client.holds.push_back({batch, begin});
  }
  wait(client);
}

void Broker::Impl::wait(Client& client) {
  const std::uint64_t batch = state_.next_batch();
  if (client.waits_for == batch) return;
  client.waits_for = batch;
  waiting_.emplace_back(batch, client.id);
}

void Broker::Impl::drop(Client& client) {
  forget_held(client);
  leave(client);
  client.state = Client::State::ending;
  mark(client);
}

void Broker::Impl::fail(Client& client, const Refusal& refusal) {
  using Kind = Warning;
  const auto [counter, kind] = [&]() -> std::pair<Counter, Kind> {
    switch (refusal.reason) {
      case Reason::malformed_packet:
        return {&Figures::closed_malformed, Kind::malformed};
      case Reason::packet_too_large:
        return {&Figures::closed_packet_size, Kind::packet_size};
      case Reason::receive_maximum_exceeded:
        return {&Figures::closed_receive_maximum, Kind::receive_maximum};
      default:
        return {&Figures::closed_protocol, Kind::malformed};
    }
  }();
  warnings_.warn(kind, "MQTT: closed " + client.peer + ": " + std::string(refusal.detail), now_);
  end(client, refusal.reason, refusal.detail, counter);
}

void Broker::Impl::check_time(Client& client) {
  switch (client.state) {
    case Client::State::connecting:
      if (now_ < client.deadline) return;
      if (has_unread_(client.id)) {
        client.deadline = now_ + reading_time;
        return;
      }
      ++figures_.closed_connect_timeout;
      warnings_.warn(Warning::connect_timeout,
                     "MQTT: closed " + client.peer + ": no CONNECT came (mqtt_connect_timeout)",
                     now_);
      return drop(client);
    case Client::State::refusing:
      if (now_ < client.deadline) return;
      return reject(client, Reason::bad_user_name_or_password, {});
    case Client::State::ending:
      return;
    case Client::State::connected:
      break;
  }
  const bool is_late =
      client.silence_max != Clock::duration{} && now_ - client.heard > client.silence_max;
  if (is_late && has_unread_(client.id)) {
    client.heard = now_;
  } else if (is_late) {
    warnings_.warn(Warning::keep_alive,
                   "MQTT: closed " + client.peer + ": it was silent for longer than its keep-alive",
                   now_);
    return end(client, Reason::keep_alive_timeout, "nothing was heard within the keep-alive time",
               &Figures::closed_keep_alive);
  }
  if (must_move(client) && now_ - client.moved_at > limits_.mqtt_stalled_timeout) {
    warnings_.warn(Warning::slow,
                   "MQTT: closed " + client.peer + ": it reads nothing (mqtt_stalled_timeout)",
                   now_);
    end(client, Reason::quota_exceeded, "messages are not read", &Figures::closed_slow);
  }
}

// Who is behind must move: read, or at QoS 1 acknowledge what it has read.
bool Broker::Impl::must_move(const Client& client) const {
  return state_.is_durable(client.waits_for) &&
         ((is_waiting(client) && client.writing) || client.session->catching_up);
}

// Not later than a stall that begins now could be over: so nobody has to tell that one begins.
Clock::time_point Broker::Impl::next_check(const Client& client) const {
  switch (client.state) {
    case Client::State::connecting:
    case Client::State::refusing:
      return client.deadline;
    case Client::State::ending:
      return Clock::time_point::max();
    case Client::State::connected:
      break;
  }
  const Clock::time_point stalled =
      (must_move(client) ? client.moved_at : now_) + limits_.mqtt_stalled_timeout;
  if (client.silence_max == Clock::duration{}) return stalled;
  return std::min(stalled, client.heard + client.silence_max);
}

void Broker::Impl::arm(Client& client) {
  const Clock::time_point due = next_check(client);
  if (due >= client.check_at) return;
  client.check_at = due;
  client_checks_.add(client.id, due);
}

void Broker::Impl::tick(Clock::time_point now, Timestamp wall) {
  note_time(now, wall);
  client_checks_.advance(now, [this](ConnectionId id, Clock::time_point due) {
    Client* client = find(id);
    if (client == nullptr || client->check_at != due) return;
    client->check_at = Clock::time_point::max();
    check_time(*client);
    arm(*client);
  });
  session_checks_.advance(now, [this](SubscriberNumber number, Clock::time_point due) {
    Session* session = session_of(number);
    if (session == nullptr || session->check_at != due) return;
    session->check_at = Clock::time_point::max();
    check_time(*session);
    if (session_of(number) == session) arm(*session);
  });
  retained_.expire(now);
  if (!version_.empty() && now >= next_figures_) publish_figures();
  settle();
}

std::vector<Attention> Broker::Impl::attention() {
  std::vector<Attention> all;
  all.reserve(named_.size());
  for (const ConnectionId id : named_) {
    Client* client = find(id);
    if (client == nullptr) continue;
    client->named = false;
    all.push_back({id, client->state == Client::State::ending});
  }
  named_.clear();
  return all;
}

void Broker::Impl::output(ConnectionId connection, std::size_t max_bytes, std::string& out,
                          Clock::time_point now) {
  now_ = now;
  Client* client = find(connection);
  if (client == nullptr) return;
  if (client->session != nullptr && has_expired(*client->session, now)) {
    end_expired(*client->session);
  }

  const std::size_t before = out.size();
  release_held(*client);
  const std::size_t ready =
      client->holds.empty() ? client->answers.size() : client->holds.front().begin;
  const std::size_t taken = std::min(max_bytes, ready);
  out.append(client->answers, 0, taken);
  client->answers.erase(0, taken);
  for (Client::Hold& hold : client->holds) hold.begin -= taken;
  if (client->answers.empty() && client->answers.capacity() > answers_kept) {
    std::string().swap(client->answers);
  }
  // Messages wait neither for the answers to messages nor for anything else of the state that is
  // not their own; but a client hears of its subscription first.
  if (client->state == Client::State::connected && taken == ready &&
      state_.is_durable(client->opening)) {
    write_messages(*client, before + max_bytes, out);
  }
  if (client->writing || out.size() > before) client->moved_at = now;
  client->writing = out.size() > before;
  figures_.bytes_out += out.size() - before;
  settle();
}

void Broker::Impl::taken(ConnectionId connection, Clock::time_point now) {
  if (Client* client = find(connection)) client->moved_at = now;
}

void Broker::Impl::shut_down() {
  for (const auto& client : clients_) {
    if (!client || client->state == Client::State::ending) continue;
    forget_held(*client);
    if (is_welcome(*client) && client->is_v5()) {
      send(*client, Disconnect{Reason::server_shutting_down, {}});
    }
    drop(*client);
  }
  state_.ask();
  settle();
}

void Broker::Impl::settle() {
  for (std::size_t i = 0; i < due_wills_.size(); ++i) {  // one may make others due
    const SubscriberNumber publisher = due_wills_[i].publisher;
    const PublicationPtr will = Publication::begun(*due_wills_[i].publication, now_);
    if (will->retain()) retain(will);
    route(will, will->qos(), publisher);
  }
  due_wills_.clear();
  ended_.clear();
}

Figures Broker::Impl::counted() const {
  Figures figures = figures_;
  figures.subscriptions = subscriptions_.size();
  figures.catching_up = catching_up_;
  figures.backlog_bytes = feed_.bytes();
  figures.sessions_away = away_;
  figures.retained = retained_.size();
  figures.retained_bytes = retained_.bytes();
  return figures;
}

Figures Broker::Impl::figures() const {
  Figures figures = counted();
  for (const auto& client : clients_) {
    if (client) figures.queued_bytes += client->answers.size();
  }
  for (const auto& session : sessions_) {
    if (session) figures.queued_bytes += session->outbox.bytes() + session->inflight.bytes();
  }
  return figures;
}

Broker::Broker(const Limits& limits, Login login, FailedLogin failed_login, HasUnread has_unread,
               document::ReadLog read_log, std::function<void(std::string_view)> log)
    : impl_(std::make_unique<Impl>(limits, std::move(login), std::move(failed_login),
                                   std::move(has_unread), std::move(read_log), std::move(log))) {}
Broker::~Broker() = default;

ConnectionId Broker::accept(std::string peer, Clock::time_point now, Timestamp wall) {
  return impl_->accept(std::move(peer), now, wall);
}
void Broker::receive(ConnectionId connection, std::string_view bytes, Clock::time_point now,
                     Timestamp wall) {
  impl_->receive(connection, bytes, now, wall);
}
void Broker::closed(ConnectionId connection, Clock::time_point) {
  impl_->closed(connection);
}
void Broker::announce(std::span<const document::CommitPtr> commits, Clock::time_point now) {
  impl_->announce(commits, now);
}
void Broker::advance(Clock::time_point now) {
  impl_->advance(now);
}
bool Broker::unfinished() const {
  return impl_->unfinished();
}
void Broker::set_revision(document::Revision revision) {
  impl_->set_revision(revision);
}
void Broker::tick(Clock::time_point now, Timestamp wall) {
  impl_->tick(now, wall);
}
std::vector<Attention> Broker::attention() {
  return impl_->attention();
}
void Broker::output(ConnectionId connection, std::size_t max_bytes, std::string& out,
                    Clock::time_point now) {
  impl_->output(connection, max_bytes, out, now);
}
void Broker::taken(ConnectionId connection, Clock::time_point now) {
  impl_->taken(connection, now);
}
void Broker::publish_figures(std::string version, Clock::time_point now) {
  impl_->publish_figures(std::move(version), now);
}
Result<void> Broker::restore(std::span<const StateRecord> records, Clock::time_point now,
                             Timestamp wall) {
  return impl_->restore(records, now, wall);
}
std::optional<StateBatch> Broker::take_state() {
  return impl_->take_state();
}
void Broker::persisted(std::uint64_t batch, Clock::time_point now) {
  impl_->persisted(batch, now);
}
void Broker::shut_down() {
  impl_->shut_down();
}
Figures Broker::figures() const {
  return impl_->figures();
}
ClientPage Broker::clients(std::uint32_t from, std::size_t limit) const {
  return impl_->clients(from, limit);
}
std::optional<ClientView> Broker::client(std::string_view id) const {
  return impl_->client(id);
}
std::optional<Disconnected> Broker::disconnect(std::string_view id, bool end_session,
                                               Clock::time_point now) {
  return impl_->disconnect(id, end_session, now);
}

}  // namespace doctor::mqtt
