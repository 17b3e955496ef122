#include <algorithm>
#include <utility>

#include "doctor/stomp/broker_impl.hpp"

// Heart-beats and time limits.
namespace doctor::stomp {
namespace {

using namespace std::chrono_literals;

// How often all connections are looked at.
constexpr auto check_interval = 100ms;

// Between two lone LFs that oVirt's Java client is owed: they must not share a read either.
constexpr auto lone_interval = 20ms;

}  // namespace

void Broker::Impl::tick(Clock::time_point now, Timestamp wall) {
  now_ = now;
  wall_ = wall;
  std::erase_if(refusing_, [&](ConnectionId id) {
    Connection* connection = find(id);
    if (connection == nullptr) return true;
    if (now < connection->deadline) return false;
    end_with_error(*connection, "Bad CONNECT", &Figures::refused_credentials);
    return true;
  });

  wake_.reset();
  std::erase_if(owing_, [&](ConnectionId id) {
    Connection* connection = find(id);
    if (connection == nullptr || connection->ovirt.owed == 0) return true;
    check_owed(*connection);
    return connection->ovirt.owed == 0;
  });
  if (!owing_.empty()) wake_ = now + lone_interval;

  if (now >= next_check_) {
    next_check_ = now + check_interval;
    for (const auto& connection : connections_) {
      if (connection) check_time(*connection);
    }
  }
  settle();
}

void Broker::Impl::check_owed(Connection& connection) {
  const bool is_idle = connection.outbox.empty() && !connection.writing && !connection.beat_due;
  if (!is_idle || now_ - connection.written_at < lone_interval) return;
  --connection.ovirt.owed;
  connection.beat_due = true;
  mark(connection);
}

void Broker::Impl::check_time(Connection& connection) {
  switch (connection.state) {
    case Connection::State::connecting:
      if (now_ < connection.deadline || application_.has_unread(connection.id)) return;
      return end_with_error(connection, "No CONNECT came within the limit stomp_connect_timeout",
                            &Figures::closed_connect_timeout);
    case Connection::State::refusing:
    case Connection::State::ending:
      return;
    case Connection::State::connected:
      break;
  }
  const auto& session = connection.principal.session;
  if (session && session->expired(wall_)) {
    return end_with_error(connection, "The session has ended", &Figures::closed_session_ended);
  }
  if (connection.writing && now_ - connection.moved_at > limits_.stomp_stalled_timeout) {
    warnings_.warn(
        Warning::slow,
        "STOMP: closed " + connection.peer + ": it reads nothing (stomp_stalled_timeout)", now_);
    return end_with_error(connection, "Nothing is read", &Figures::closed_slow);
  }
  const bool is_stuck = connection.partial_bytes > 0 && connection.blocked == 0 &&
                        is_silent(connection, limits_.body_timeout);
  if (is_stuck) {
    return fail(connection,
                {Fault::limit, "The rest of a frame did not come within the limit body_timeout"});
  }
  check_beats(connection);
  // What was dropped for others' sake is told once they leave room, though nothing was queued here.
  if (connection.has_dropped && connection.outbox.empty() && !connection.writing) mark(connection);
}

// Whether nothing has come for longer than that.
bool Broker::Impl::is_silent(Connection& connection, Clock::duration time) {
  if (now_ - connection.heard <= time) return false;
  if (!application_.has_unread(connection.id)) return true;
  connection.heard = now_;
  return false;
}

void Broker::Impl::check_beats(Connection& connection) {
  // While it is not read from, what it sends is not seen.
  const bool is_judged = connection.peer_beats > 0ms && connection.blocked == 0;
  if (is_judged && is_silent(connection, dead_after(connection.peer_beats))) {
    warnings_.warn(Warning::heart_beat,
                   "STOMP: closed " + connection.peer + ": its heart-beats ceased", now_);
    return end_with_error(connection, "heart-beat", &Figures::closed_heart_beat);
  }
  const bool is_idle = connection.outbox.empty() && !connection.writing && !connection.beat_due;
  const bool is_due = connection.beats > 0ms && is_idle &&
                      now_ - connection.written_at >= beat_after(connection.beats);
  if (!is_due) return;
  connection.beat_due = true;
  mark(connection);
}

}  // namespace doctor::stomp
