#include <algorithm>

#include "doctor/base/crypto.hpp"
#include "doctor/mqtt/broker_impl.hpp"

namespace doctor::mqtt {
namespace {

// The wall clock, by which sessions of Doctor expire, may be put forward: so it is looked at now
// and then. What leaves a queue is judged by it each time, whatever this says.
constexpr std::chrono::seconds wall_clock_trusted{5};

}  // namespace

Subscriptions::Filter Session::Own::key() const {
  if (!group) return {filter, {}};
  return {std::string_view(filter).substr(filter.find('/', filter.find('/') + 1) + 1), *group};
}

Session& Broker::Impl::make_session(std::string key, const LoggedIn& login) {
  auto number = static_cast<SubscriberNumber>(sessions_.size());
  if (free_numbers_.empty()) {
    sessions_.emplace_back();
  } else {
    number = free_numbers_.back();
    free_numbers_.pop_back();
  }
  sessions_[number] = std::make_unique<Session>();
  Session& session = *sessions_[number];
  session.number = number;
  session.key = std::move(key);
  session.publisher = hash64(session.key);
  session.principal = session.matched = login.principal;
  session.since = session.known = login.revision;
  by_key_[session.key] = &session;
  if (session.principal.session) by_session_[session.principal.session->id].push_back(number);
  return session;
}

bool Broker::Impl::resume(Client& client, Session& session, LoggedIn login) {
  // Wills and queued announcements: what has not been said yet is not said [MQTT-3.1.3-9].
  session.will.reset();
  touch(session);
  state_.ask();
  session.principal = std::move(login.principal);
  session.known = login.revision;
  Session::CatchUp& catching_up = *session.catching_up;
  const bool acknowledges =
      std::any_of(session.filters.begin(), session.filters.end(), [&](const Session::Own& own) {
        const auto* found = subscriptions_.find(session.number, own.key());
        return !own.group && found->options.qos != QoS::at_most_once;
      });
  if (!acknowledges) catching_up.place = place_;
  if (catching_up.place != feed_.end() && !feed_.read(catching_up.place, 1)) return false;
  catching_up.away = document::Revision(place_.revision.value - 1);
  ++catching_up_;
  --away_;
  session.client = &client;
  client.session = &session;
  client.moved_at = now_;
  session.inflight.begin_connection();
  session.inflight.for_each([&](const Inflight::Sent& sent) {
    client.sending.push_back({sent.packet_id, state_.next_batch(), true});
  });
  mark(client);
  return true;
}

void Broker::Impl::leave(Client& client) {
  if (client.session == nullptr) return;
  Session& session = *std::exchange(client.session, nullptr);
  session.client = nullptr;
  if (session.catching_up) --catching_up_;
  ++away_;
  const bool kept = session.expiry != Clock::duration{} && away_ <= limits_.mqtt_sessions;
  if (!kept) {
    if (session.expiry != Clock::duration{}) {
      ++figures_.sessions_ended_too_many;
      warnings_.warn(Warning::sessions,
                     "MQTT: a session ended with its connection: too many wait for their clients "
                     "(mqtt_sessions)",
                     now_);
    }
    return end_session(session);
  }
  session.ends_at = now_ + session.expiry;
  touch(session);
  state_.ask();
  for (Session::RetainedReading& reading : session.retained) {
    reading.after = session.outbox.acknowledged_before(reading.after);
  }
  session.outbox.keep_acknowledged();
  if (!session.catching_up) fall_behind(session, place_);
  if (session.will) {
    session.will_at = now_ + session.will->delay;
    if (session.will->delay == Clock::duration{}) publish_will(session);
  }
  arm(session);
}

void Broker::Impl::end_session(Session& session) {
  --away_;
  forget(session);
  publish_will(session);
  for (const Session::Own& own : session.filters) subscriptions_.remove(session.number, own.key());
  by_key_.erase(session.key);
  if (session.principal.session) {
    const auto found = by_session_.find(session.principal.session->id);
    std::erase(found->second, session.number);
    if (found->second.empty()) by_session_.erase(found);
  }
  free_numbers_.push_back(session.number);
  ended_.push_back(std::move(sessions_[session.number]));
}

void Broker::Impl::publish_will(Session& session) {
  if (!session.will) return;
  due_wills_.push_back({std::move(session.will->publication), session.number});
  session.will.reset();
  touch(session);
}

bool Broker::Impl::has_expired(const Session& session, Clock::time_point now) const {
  return session.principal.session && session.principal.session->expired(timeline_.wall_of(now));
}

void Broker::Impl::end_expired(Session& session) {
  session.expiry = {};
  if (session.client == nullptr) return end_session(session);
  warnings_.warn(Warning::session_ended,
                 "MQTT: closed " + session.client->peer + ": its session " +
                     fingerprint(session.principal.session->id) + " has expired",
                 now_);
  end(*session.client, Reason::not_authorized, "the session has expired",
      &Figures::closed_session_ended);
}

void Broker::Impl::check_time(Session& session) {
  if (has_expired(session, now_)) return end_expired(session);
  if (session.client != nullptr) return;
  if (now_ >= session.ends_at) {
    ++figures_.sessions_ended_expired;
    return end_session(session);
  }
  if (session.will && now_ >= session.will_at) publish_will(session);
}

Clock::time_point Broker::Impl::next_check(const Session& session) const {
  auto next = Clock::time_point::max();
  if (session.client == nullptr) {
    next = session.ends_at;
    if (session.will) next = std::min(next, session.will_at);
  }
  const auto& of_doctor = session.principal.session;
  if (!of_doctor || !of_doctor->expires) return next;
  const Clock::time_point expires = timeline_.time_of(*of_doctor->expires);
  return std::min({next, std::max(now_, expires), now_ + wall_clock_trusted});
}

void Broker::Impl::arm(Session& session) {
  const Clock::time_point due = next_check(session);
  if (due >= session.check_at) return;
  session.check_at = due;
  session_checks_.add(session.number, due);
}

}  // namespace doctor::mqtt
