#include "doctor/stomp/broker.hpp"

#include <algorithm>
#include <utility>

#include "doctor/stomp/broker_impl.hpp"
#include "doctor/stomp/writer.hpp"

namespace doctor::stomp {
namespace {

constexpr unsigned place_bits = 32;

// Before it is known who sends them, frames may not take what they may later.
FrameLimits before_connect(const Limits& limits) {
  FrameLimits frame = FrameLimits::of(limits);
  frame.header_block = std::min(frame.header_block, limits.stomp_before_connect);
  frame.body = std::min(frame.body, limits.stomp_before_connect);
  return frame;
}

}  // namespace

Broker::Impl::Impl(const Limits& limits, Options options, Application& application,
                   std::function<void(std::string_view)> log)
    : limits_(limits),
      options_(std::move(options)),
      application_(application),
      warnings_(std::move(log)) {}

Connection* Broker::Impl::find(ConnectionId connection) {
  const auto place = static_cast<std::uint32_t>(connection.value);
  if (place >= connections_.size() || !connections_[place]) return nullptr;
  Connection* found = connections_[place].get();
  return found->id == connection ? found : nullptr;
}

void Broker::Impl::mark(Connection& connection) {
  if (connection.named) return;
  connection.named = true;
  named_.push_back(connection.id);
}

ConnectionId Broker::Impl::accept(std::string peer, std::optional<std::string> certificate,
                                  Clock::time_point now, Timestamp wall) {
  now_ = now;
  wall_ = wall;
  auto place = static_cast<std::uint32_t>(connections_.size());
  if (free_places_.empty()) {
    connections_.emplace_back();
  } else {
    place = free_places_.back();
    free_places_.pop_back();
  }
  const ConnectionId id(std::uint64_t{++accepted_} << place_bits | place);
  connections_[place] = std::make_unique<Connection>(id, std::move(peer), std::move(certificate),
                                                     before_connect(limits_), outboxes_);
  connections_[place]->deadline = now + limits_.stomp_connect_timeout;
  connections_[place]->ovirt.is = options_.ovirt;
  ++figures_.connections;
  return id;
}

void Broker::Impl::receive(ConnectionId connection, std::string_view bytes, Clock::time_point now,
                           Timestamp wall) {
  now_ = now;
  wall_ = wall;
  Connection* found = find(connection);
  if (found == nullptr) return;
  figures_.bytes_in += bytes.size();
  found->heard = now;
  process(*found, bytes);
  note_partial(*found);
  settle();
}

void Broker::Impl::process(Connection& connection, std::string_view bytes) {
  using State = Connection::State;
  while (connection.state == State::connecting || connection.state == State::connected) {
    if (connection.blocked > 0) {
      connection.stash += bytes;
      return;
    }
    const auto raw = connection.splitter.next(bytes);
    if (!raw) return fail(connection, raw.error());
    if (!*raw) return;
    ++figures_.frames_in;
    if (connection.state == State::connected) {
      handle(connection, **raw);
    } else if ((*raw)->command == Command::connect || (*raw)->command == Command::stomp) {
      connect(connection, **raw);
    } else {
      hold(connection, **raw);
    }
  }
}

// Each connection may hold a little; beyond that all together are bounded.
void Broker::Impl::note_partial(Connection& connection) {
  const std::size_t held = connection.splitter.held();
  partial_bytes_ += held - std::exchange(connection.partial_bytes, held);
  const bool is_over =
      held > limits_.stomp_header_block && partial_bytes_ > limits_.bodies_under_way;
  if (!is_over || connection.state == Connection::State::ending) return;
  fail(connection, {Fault::limit, "More frames have come in part than the limit bodies_under_way"});
}

void Broker::Impl::closed(ConnectionId connection, Clock::time_point now) {
  now_ = now;
  Connection* found = find(connection);
  if (found == nullptr) return;
  leave(*found);
  partial_bytes_ -= found->partial_bytes;
  const auto place = static_cast<std::uint32_t>(connection.value);
  connections_[place].reset();
  free_places_.push_back(place);
  --figures_.connections;
  settle();
}

void Broker::Impl::send(Connection& connection, Command command,
                        std::initializer_list<Header> headers, std::string_view body) {
  Outbox::Entry entry;
  write_frame(command, headers, body, connection.version, entry.frame);
  // Who asks without end and does not read the answers is a slow consumer of another kind.
  if (command != Command::error) {
    const Bound passed = make_room(connection, entry);
    if (passed != Bound::none) return give_up(connection, passed);
  }
  push(connection, std::move(entry));
}

void Broker::Impl::fail(Connection& connection, const Refusal& refusal,
                        std::optional<std::string_view> receipt) {
  const Counter counter = [&] {
    switch (refusal.fault) {
      case Fault::malformed:
        return &Figures::closed_malformed;
      case Fault::limit:
        return &Figures::closed_limit;
      case Fault::forbidden:
        return &Figures::closed_forbidden;
      default:
        return &Figures::closed_protocol;
    }
  }();
  warnings_.warn(Warning::closed,
                 "STOMP: closed " + connection.peer + ": " + std::string(refusal.message), now_);
  std::optional<Header> more;
  if (receipt) more = Header{"receipt-id", *receipt};
  end_with_error(connection, refusal.message, counter, more);
}

void Broker::Impl::end_with_error(Connection& connection, std::string_view message, Counter counter,
                                  std::optional<Header> more) {
  if (connection.state == Connection::State::ending) return;
  ++(figures_.*counter);
  end(connection);
  const Header text{"message", message};
  constexpr Header type{"content-type", "text/plain"};
  if (more) {
    send(connection, Command::error, {text, type, *more}, message);
  } else {
    send(connection, Command::error, {text, type}, message);
  }
}

void Broker::Impl::end(Connection& connection) {
  leave(connection);
  connection.state = Connection::State::ending;
  connection.end = connection.ovirt.is ? End::reset : End::linger;
  mark(connection);
}

void Broker::Impl::leave(Connection& connection) {
  for (const SubscriptionPtr& subscription : connection.subscriptions) {
    figures_.nacked += subscription->unacked.size();
    destinations_.remove(*subscription);
    subscription->connection = nullptr;
  }
  connection.subscriptions.clear();
  connection.unacked = 0;
  connection.by_id.clear();
  connection.transactions.clear();
  connection.transactions_bytes = 0;
  connection.held.clear();
  connection.outbox.clear_messages();
  connection.stash = {};
  connection.has_dropped = false;
  connection.ovirt.owed = 0;
  unblock(connection);
}

void Broker::Impl::settle() {
  // Each may make others: what was kept of a blocked connection may fill another outbox.
  while (!overflown_.empty() || !unblocked_.empty()) {
    for (const ConnectionId id : std::exchange(overflown_, {})) {
      Connection* connection = find(id);
      if (connection == nullptr || connection->state == Connection::State::ending) continue;
      end_overflown(*connection);
    }
    for (const ConnectionId id : std::exchange(unblocked_, {})) {
      Connection* connection = find(id);
      if (connection == nullptr || connection->blocked > 0) continue;
      connection->heard = now_;  // nothing was read from it meanwhile
      const std::string stash = std::exchange(connection->stash, {});
      process(*connection, stash);
      note_partial(*connection);
    }
  }
}

void Broker::Impl::end_overflown(Connection& connection) {
  const bool is_own = connection.overflows != Bound::outboxes_bytes;
  const std::string limit(name_of(connection.overflows));
  warnings_.warn(is_own ? Warning::slow : Warning::outboxes,
                 "STOMP: closed " + connection.peer +
                     (is_own ? ": it does not read or acknowledge what it is sent ("
                             : ": too much waits for all clients together (") +
                     limit + ")",
                 now_);
  end_with_error(connection,
                 (is_own ? "More waits to be read than the limit "
                         : "More waits for all clients together than the limit ") +
                     limit,
                 is_own ? &Figures::closed_slow : &Figures::closed_outboxes);
}

std::vector<Attention> Broker::Impl::attention() {
  std::vector<Attention> all;
  all.reserve(named_.size());
  for (const ConnectionId id : named_) {
    Connection* connection = find(id);
    if (connection == nullptr) continue;
    connection->named = false;
    const bool pause = connection->blocked > 0 && connection->end == End::none;
    all.push_back({id, connection->end, pause});
  }
  named_.clear();
  return all;
}

void Broker::Impl::sessions_changed(std::span<const document::SessionChange> changes,
                                    Clock::time_point now) {
  now_ = now;
  std::unordered_map<std::string_view, const document::SessionChange*> by_id;
  for (const document::SessionChange& change : changes) by_id[change.id] = &change;
  for (const auto& connection : connections_) {
    if (!connection || connection->state != Connection::State::connected) continue;
    if (!connection->principal.session) continue;
    const auto found = by_id.find(connection->principal.session->id);
    if (found == by_id.end()) continue;
    connection->principal.session = found->second->session;
    if (connection->principal.session) continue;
    end_with_error(*connection, "The session has ended", &Figures::closed_session_ended);
  }
  settle();
}

void Broker::Impl::shut_down() {
  for (const auto& connection : connections_) {
    if (!connection || connection->state == Connection::State::ending) continue;
    end(*connection);
    send(*connection, Command::error,
         {{"message", "The server shuts down"}, {"content-type", "text/plain"}},
         "The server shuts down");
  }
  settle();
}

bool Broker::Impl::is_open(ConnectionId connection) {
  const Connection* found = find(connection);
  return found != nullptr && found->state != Connection::State::ending;
}

std::size_t Broker::Impl::queued_bytes(ConnectionId connection) {
  const Connection* found = find(connection);
  return found == nullptr ? 0 : found->outbox.bytes();
}

Figures Broker::Impl::figures() const {
  Figures figures = figures_;
  figures.outboxes_bytes = outboxes_.bytes();
  figures.subscriptions = destinations_.size();
  for (const auto& connection : connections_) {
    if (!connection) continue;
    figures.queued_bytes += connection->outbox.bytes();
    if (connection->blocked > 0) ++figures.blocked;
  }
  return figures;
}

Broker::Broker(const Limits& limits, Options options, Application& application,
               std::function<void(std::string_view)> log)
    : impl_(std::make_unique<Impl>(limits, std::move(options), application, std::move(log))) {}
Broker::~Broker() = default;

ConnectionId Broker::accept(std::string peer, std::optional<std::string> certificate,
                            Clock::time_point now, Timestamp wall) {
  return impl_->accept(std::move(peer), std::move(certificate), now, wall);
}
void Broker::receive(ConnectionId connection, std::string_view bytes, Clock::time_point now,
                     Timestamp wall) {
  impl_->receive(connection, bytes, now, wall);
}
void Broker::closed(ConnectionId connection, Clock::time_point now) {
  impl_->closed(connection, now);
}
bool Broker::is_open(ConnectionId connection) const {
  return impl_->is_open(connection);
}
std::size_t Broker::queued_bytes(ConnectionId connection) const {
  return impl_->queued_bytes(connection);
}
bool Broker::is_heard(std::string_view destination) const {
  return impl_->is_heard(destination);
}
std::size_t Broker::publish(Message message, const Routing& routing, Clock::time_point now) {
  return impl_->publish(std::move(message), routing, now);
}
std::size_t Broker::answer(const Answer& answer, Clock::time_point now) {
  return impl_->answer(answer, now);
}
void Broker::sessions_changed(std::span<const document::SessionChange> changes,
                              Clock::time_point now) {
  impl_->sessions_changed(changes, now);
}
void Broker::tick(Clock::time_point now, Timestamp wall) {
  impl_->tick(now, wall);
}
std::optional<Clock::time_point> Broker::wake() const {
  return impl_->wake();
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
void Broker::shut_down() {
  impl_->shut_down();
}
Figures Broker::figures() const {
  return impl_->figures();
}

}  // namespace doctor::stomp
