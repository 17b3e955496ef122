#include <algorithm>

#include "doctor/base/crypto.hpp"
#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {
namespace {

// What one call of `advance` does: some milliseconds of work, and of one client's messages not more
// than its socket can take before the next call.
constexpr std::size_t deliveries_a_turn = 65'536;
constexpr std::size_t cost_of_a_change = 16;  // in deliveries: its topic, its matching
constexpr std::size_t changes_at_once = 512;

// Edits of a session that wait until what was announced before them has been judged.
constexpr std::size_t edits_max = 1000;

}  // namespace

std::vector<SubscriberNumber> Broker::Impl::sessions_of(const std::string& session_id) const {
  const auto found = by_session_.find(session_id);
  return found == by_session_.end() ? std::vector<SubscriberNumber>{} : found->second;
}

// What a commit did to sessions of Doctor, for messages that leave their queues from now on. Who
// logged in at this revision or later knows it already.
void Broker::Impl::apply_newest(const document::Commit& commit) {
  for (const document::SessionChange& change : commit.sessions) {
    for (const SubscriberNumber number : sessions_of(change.id)) {
      Session* session = session_of(number);
      if (session != nullptr && session->since < commit.revision) {
        apply_newest(*session, change, commit.revision);
      }
    }
  }
}

void Broker::Impl::apply_newest(Session& session, const document::SessionChange& change,
                                document::Revision revision) {
  if (change.session) {
    keep_permissions(session, change, revision);
    if (session.known < revision) session.principal.session = change.session;
    arm(session);
    apply_edits(session,
                session.catching_up ? session.catching_up->place.revision : place_.revision);
    session.edits.push_back({revision, change.session});
    if (session.edits.size() <= edits_max) return;
    session.expiry = {};
    warnings_.warn(Warning::behind,
                   "MQTT: ended the session of a client that is too far behind the edits of its "
                   "session " +
                       fingerprint(change.id),
                   now_);
    if (session.client == nullptr) {
      ++figures_.sessions_ended_behind;
      return end_session(session);
    }
    return end(*session.client, Reason::quota_exceeded, "too far behind the edits of its session",
               &Figures::closed_behind);
  }
  session.expiry = {};
  if (session.client == nullptr) return end_session(session);
  warnings_.warn(Warning::session_ended,
                 "MQTT: closed " + session.client->peer + ": its session " +
                     fingerprint(change.id) + " was deleted",
                 now_);
  end(*session.client, Reason::administrative_action, "the session was deleted",
      &Figures::closed_session_ended);
}

void Broker::Impl::apply_edits(Session& session, document::Revision revision) {
  std::size_t count = 0;
  for (; count < session.edits.size() && session.edits[count].revision <= revision; ++count) {
    session.matched.session = std::move(session.edits[count].session);
  }
  session.edits.erase(session.edits.begin(), session.edits.begin() + static_cast<long>(count));
}

void Broker::Impl::set_revision(document::Revision revision) {
  feed_.begin_after(revision);
  place_ = feed_.end();
}

void Broker::Impl::announce(std::span<const document::CommitPtr> commits, Clock::time_point now) {
  now_ = now;
  for (const document::CommitPtr& commit : commits) {
    apply_newest(*commit);
    figures_.announcements += commit->changes.size();
    feed_.add(commit);
  }
  match();
  settle();
}

bool Broker::Impl::unfinished() const {
  return place_ != feed_.end() || !looking_.empty();
}

void Broker::Impl::advance(Clock::time_point now) {
  now_ = now;
  for (const ConnectionId id : looking_) {
    if (Client* client = find(id)) mark(*client);
  }
  looking_.clear();
  match();
  settle();
}

void Broker::Impl::match() {
  std::size_t done = 0;
  while (place_ != feed_.end() && done < deliveries_a_turn) {
    if (subscriptions_.size() == 0 && touched_.empty()) {
      place_ = feed_.end();
      break;
    }
    const auto stretch = feed_.read(place_, changes_at_once);
    if (!stretch) {
      lose_place();
      break;
    }
    std::size_t count = 0;
    document::FeedPlace at = place_;
    for (; count < stretch->changes.size() && done < deliveries_a_turn; ++count, ++at.index) {
      done += cost_of_a_change + route(stretch->changes[count], at);
    }
    document::Feed::pass(place_, *stretch, count);
    if (place_.index == 0) end_commit();
    const bool looks = stretch->changes.empty() && !stretch->ends_commit;
    done += looks ? changes_at_once * cost_of_a_change : cost_of_a_change;
  }
  for (const SubscriberNumber number : touched_) {
    const Session* session = session_of(number);
    if (session != nullptr && session->client != nullptr) mark(*session->client);
  }
  if (catching_up_ == 0) feed_.forget_before(place_.revision);
}

// Who is behind hears the end of the commit later.
void Broker::Impl::end_commit() {
  for (const SubscriberNumber number : touched_) {
    Session* session = session_of(number);
    if (session == nullptr) continue;
    if (!session->catching_up) session->outbox.end_commit();
    if (session->client != nullptr) mark(*session->client);
  }
  touched_.clear();
}

// More was announced than the commit log holds, before it was matched: nobody can be told what.
void Broker::Impl::lose_place() {
  end_commit();
  place_ = feed_.end();
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    Session* session = sessions_[i].get();
    if (session == nullptr || session->filters.empty() || session->catching_up) continue;
    session->expiry = {};
    end(*session->client, Reason::quota_exceeded, "announcements have left the commit log",
        &Figures::closed_behind);
  }
  warnings_.warn(Warning::behind,
                 "MQTT: announcements left the commit log before they were matched "
                 "(mqtt_backlog_bytes, log_size): all subscribers were disconnected",
                 now_);
}

std::size_t Broker::Impl::route(const document::Change& change, const document::FeedPlace& place) {
  if (subscriptions_.size() == 0) return 0;
  const std::string topic = document_topic(change.collection, change.id);
  subscriptions_.match(topic, std::nullopt, matches_);
  PublicationPtr publication;
  for (const Subscriptions::Subscriber& match : matches_.each) {
    Session* session = session_of(match.number);
    if (session == nullptr || session->catching_up) continue;
    if (!route(match, false, *session, change, place, publication)) fall_behind(*session, place);
  }
  for (Subscriptions::Group* group : matches_.groups) {
    const auto takes = [&](SubscriberNumber number) {
      const Session* session = session_of(number);
      return session != nullptr && session->client != nullptr && !session->catching_up;
    };
    const Subscriptions::Subscriber* member = group->next(takes);
    if (member == nullptr ||
        !route(*member, true, *session_of(member->number), change, place, publication)) {
      ++figures_.dropped_no_member;
    }
  }
  return matches_.each.size() + matches_.groups.size();
}

bool Broker::Impl::route(const Subscriptions::Subscriber& match, bool shared, Session& session,
                         const document::Change& change, const document::FeedPlace& place,
                         PublicationPtr& publication) {
  if (session.since >= place.revision) return true;
  if (!session.edits.empty()) apply_edits(session, place.revision);
  if (!session.matched.permissions().may_read(change.collection, change.id)) return true;
  if (!publication)
    publication = Publication::announcement(document_topic(change.collection, change.id), change,
                                            {place.revision, place.index});
  if (session.touched != place.revision) {
    session.touched = place.revision;
    touched_.push_back(session.number);
  }
  if (!push_announcement(session,
                         {publication, match.options.qos, false, false, match.identifiers})) {
    return false;
  }
  if (shared) keep_waiting(session, session.outbox.newest());
  if (match.options.qos != QoS::at_most_once) touch(session);
  return true;
}

bool Broker::Impl::route(const PublicationPtr& publication, QoS qos,
                         std::optional<SubscriberNumber> publisher) {
  subscriptions_.match(publication->topic(), publisher, matches_);
  if (matches_.empty()) return false;
  const auto message_for = [&](const Subscriptions::Subscriber& match) {
    return Message{publication, std::min(qos, match.options.qos),
                   publication->retain() && match.options.retain_as_published, false,
                   match.identifiers};
  };
  for (const Subscriptions::Subscriber& match : matches_.each) {
    Session* session = session_of(match.number);
    if (session != nullptr) push(*session, message_for(match));
  }
  for (Subscriptions::Group* group : matches_.groups) {
    const auto takes = [&](SubscriberNumber number) {
      const Session* session = session_of(number);
      return session != nullptr && session->client != nullptr;
    };
    if (const Subscriptions::Subscriber* member = group->next(takes)) {
      push(*session_of(member->number), message_for(*member));
    } else {
      ++figures_.dropped_no_member;
    }
  }
  return true;
}

// Announcements leave a quarter of the queue to what clients publish, which waits nowhere else.
bool Broker::Impl::push_announcement(Session& session, Message message) {
  return session.outbox.push_of_commit(
      std::move(message), {limits_.mqtt_queue_messages - limits_.mqtt_queue_messages / 4,
                           limits_.mqtt_queue_bytes - limits_.mqtt_queue_bytes / 4});
}

void Broker::Impl::push(Session& session, Message message) {
  if (!message.publication->may_be_heard(session.principal.permissions())) return;
  if (session.client == nullptr && message.qos == QoS::at_most_once) return;
  const QoS qos = message.qos;
  if (session.outbox.push(std::move(message),
                          {limits_.mqtt_queue_messages, limits_.mqtt_queue_bytes})) {
    keep_waiting(session, session.outbox.newest());
    if (session.client != nullptr) mark(*session.client);
    return;
  }
  if (session.client == nullptr || qos == QoS::at_most_once) {
    ++figures_.dropped_queue_full;
    if (warnings_.due(Warning::dropped, now_)) {
      warnings_.warn(Warning::dropped,
                     "MQTT: dropped a message of a client for " +
                         (session.client == nullptr ? "one that is away" : session.client->peer) +
                         ": the queue is full (mqtt_queue_messages, mqtt_queue_bytes)",
                     now_);
    }
    return;
  }
  warnings_.warn(Warning::slow,
                 "MQTT: closed " + session.client->peer +
                     ": its queue is full (mqtt_queue_messages, "
                     "mqtt_queue_bytes)",
                 now_);
  end(*session.client, Reason::quota_exceeded, "the queue of messages is full",
      &Figures::closed_slow);
}

}  // namespace doctor::mqtt
