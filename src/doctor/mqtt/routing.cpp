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

std::vector<SubscriberNumber> Broker::Impl::clients_of(const std::string& session_id) const {
  const auto found = by_session_.find(session_id);
  return found == by_session_.end() ? std::vector<SubscriberNumber>{} : found->second;
}

// What a commit did to sessions, for messages that leave their queues from now on. A client that
// logged in at this revision or later knows it already.
void Broker::Impl::apply_newest(const document::Commit& commit) {
  for (const document::SessionChange& change : commit.sessions) {
    for (const SubscriberNumber number : clients_of(change.id)) {
      Client& client = *clients_[number];
      if (client.since >= commit.revision) continue;
      if (change.session) {
        client.principal.session = change.session;
        apply_edits(client,
                    client.catching_up ? client.catching_up->place.revision : place_.revision);
        client.edits.push_back({commit.revision, change.session});
        if (client.edits.size() > edits_max) {
          end(client, Reason::quota_exceeded, "too far behind the edits of its session",
              &Figures::closed_behind);
        }
        continue;
      }
      warnings_.warn(Warnings::Kind::session_ended,
                     "MQTT: closed " + client.peer + ": its session " + fingerprint(change.id) +
                         " was deleted",
                     now_);
      end(client, Reason::administrative_action, "the session was deleted",
          &Figures::closed_session_ended);
    }
  }
}

void Broker::Impl::apply_edits(Client& client, document::Revision revision) {
  std::size_t count = 0;
  for (; count < client.edits.size() && client.edits[count].revision <= revision; ++count) {
    client.matched.session = std::move(client.edits[count].session);
  }
  client.edits.erase(client.edits.begin(), client.edits.begin() + static_cast<long>(count));
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
    Place at = place_;
    for (; count < stretch->changes.size() && done < deliveries_a_turn; ++count, ++at.index) {
      done += cost_of_a_change + route(stretch->changes[count], at);
    }
    Feed::pass(place_, *stretch, count);
    if (place_.index == 0) end_commit();
    const bool looks = stretch->changes.empty() && !stretch->ends_commit;
    done += looks ? changes_at_once * cost_of_a_change : cost_of_a_change;
  }
  for (const ConnectionId id : touched_) {
    if (Client* client = find(id)) mark(*client);
  }
  if (catching_up_ == 0) feed_.forget_before(place_.revision);
}

// Who is behind hears the end of the commit later.
void Broker::Impl::end_commit() {
  for (const ConnectionId id : touched_) {
    Client* client = find(id);
    if (client == nullptr || client->state != Client::State::connected) continue;
    mark(*client);
    if (!client->catching_up) client->outbox.end_commit();
  }
  touched_.clear();
}

// More was announced than the commit log holds, before it was matched: nobody can be told what.
void Broker::Impl::lose_place() {
  end_commit();
  place_ = feed_.end();
  for (const auto& client : clients_) {
    if (!client || client->filters.empty() || client->catching_up) continue;
    end(*client, Reason::quota_exceeded, "announcements have left the commit log",
        &Figures::closed_behind);
  }
  warnings_.warn(Warnings::Kind::slow,
                 "MQTT: announcements left the commit log before they were matched "
                 "(mqtt_backlog_bytes, log_size): all subscribers were disconnected",
                 now_);
}

std::size_t Broker::Impl::route(const document::Change& change, const Place& place) {
  if (subscriptions_.size() == 0) return 0;
  const std::string topic = document_topic(change.collection, change.id);
  subscriptions_.match(topic, std::nullopt, matches_);
  PublicationPtr publication;
  for (const Subscriptions::Subscriber& match : matches_.each) {
    Client& client = *clients_[match.number];
    if (client.catching_up || client.since >= place.revision) continue;
    if (!client.edits.empty()) apply_edits(client, place.revision);
    if (!client.matched.permissions().may_read(change.collection, change.id)) continue;
    if (client.state != Client::State::connected) continue;  // ended by an earlier match
    if (!publication) publication = Publication::announcement(topic, change, place.revision);
    if (client.touched != place.revision) {
      client.touched = place.revision;
      touched_.push_back(client.id);
    }
    if (!push_announcement(client, {publication, match.options.qos, false, false})) {
      fall_behind(client, place);
    }
  }
  return matches_.each.size();
}

bool Broker::Impl::route(const Publish& publish, const Client& publisher) {
  subscriptions_.match(publish.topic, publisher.number, matches_);
  if (matches_.empty()) return false;
  const PublicationPtr publication = Publication::of_client(publish, now_);
  for (const Subscriptions::Subscriber& match : matches_.each) {
    Client& client = *clients_[match.number];
    if (client.state != Client::State::connected) continue;
    if (!publication->may_be_heard(client.principal.permissions())) continue;
    const bool retain = publication->retain() && match.options.retain_as_published;
    push(client, {publication, std::min(publish.qos, match.options.qos), retain, false});
    mark(client);
  }
  return true;
}

// Announcements leave a quarter of the queue to what clients publish, which waits nowhere else.
bool Broker::Impl::push_announcement(Client& client, Outbox::Entry entry) {
  return client.outbox.push_of_commit(
      std::move(entry), {limits_.mqtt_queue_messages - limits_.mqtt_queue_messages / 4,
                         limits_.mqtt_queue_bytes - limits_.mqtt_queue_bytes / 4});
}

void Broker::Impl::push(Client& client, Outbox::Entry entry) {
  const QoS qos = entry.qos;
  if (client.outbox.push(std::move(entry),
                         {limits_.mqtt_queue_messages, limits_.mqtt_queue_bytes})) {
    return;
  }
  if (qos == QoS::at_most_once) {
    ++figures_.dropped_queue_full;
    return;
  }
  warnings_.warn(Warnings::Kind::slow,
                 "MQTT: closed " + client.peer +
                     ": its queue is full (mqtt_queue_messages, "
                     "mqtt_queue_bytes)",
                 now_);
  end(client, Reason::quota_exceeded, "the queue of messages is full", &Figures::closed_slow);
}

}  // namespace doctor::mqtt
