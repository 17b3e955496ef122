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

// The same for the changes of this commit and those after it.
void Broker::Impl::apply_matched(const document::Commit& commit) {
  for (const document::SessionChange& change : commit.sessions) {
    for (const SubscriberNumber number : clients_of(change.id)) {
      Client& client = *clients_[number];
      if (client.since < commit.revision) client.matched.session = change.session;
    }
  }
}

void Broker::Impl::announce(std::span<const document::CommitPtr> commits, Clock::time_point now) {
  now_ = now;
  for (const document::CommitPtr& commit : commits) {
    apply_newest(*commit);
    announced_.push_back(commit);
  }
  advance(now);
}

bool Broker::Impl::advance(Clock::time_point now) {
  now_ = now;
  std::size_t done = 0;
  while (!announced_.empty() && done < deliveries_a_turn) {
    const document::Commit& commit = *announced_.front();
    if (position_ == 0) {
      revision_ = commit.revision;
      apply_matched(commit);
    }
    for (; position_ < commit.changes.size() && done < deliveries_a_turn; ++position_) {
      done += cost_of_a_change + route(commit.changes[position_], commit);
    }
    const bool matched = position_ == commit.changes.size();
    for (const ConnectionId id : touched_) {
      Client* client = find(id);
      if (client == nullptr || client->state != Client::State::connected) continue;
      if (matched) client->outbox.end_commit();
      mark(*client);
    }
    if (!matched) break;
    done += touched_.size() + cost_of_a_change;
    touched_.clear();
    announced_.pop_front();
    position_ = 0;
  }
  return !announced_.empty();
}

std::size_t Broker::Impl::route(const document::Change& change, const document::Commit& commit) {
  ++figures_.announcements;
  if (subscriptions_.size() == 0) return 0;
  const std::string topic = document_topic(change.collection, change.id);
  subscriptions_.match(topic, std::nullopt, matches_);
  PublicationPtr publication;
  for (const Subscriptions::Subscriber& match : matches_) {
    Client& client = *clients_[match.number];
    if (client.since >= commit.revision) continue;
    if (!client.matched.permissions().may_read(change.collection, change.id)) continue;
    if (client.state != Client::State::connected) continue;  // ended by an earlier match
    if (!publication) publication = Publication::announcement(topic, change, commit.revision);
    if (client.touched != commit.revision) {
      client.touched = commit.revision;
      touched_.push_back(client.id);
    }
    push(client, {publication, match.options.qos, false, false}, true);
  }
  return matches_.size();
}

bool Broker::Impl::route(const Publish& publish, const Client& publisher) {
  subscriptions_.match(publish.topic, publisher.number, matches_);
  if (matches_.empty()) return false;
  const PublicationPtr publication = Publication::of_client(publish, now_);
  for (const Subscriptions::Subscriber& match : matches_) {
    Client& client = *clients_[match.number];
    if (client.state != Client::State::connected) continue;
    if (!publication->may_be_heard(client.principal.permissions())) continue;
    const bool retain = publication->retain() && match.options.retain_as_published;
    push(client, {publication, std::min(publish.qos, match.options.qos), retain, false}, false);
    mark(client);
  }
  return true;
}

void Broker::Impl::push(Client& client, Outbox::Entry entry, bool of_commit) {
  const Outbox::Bounds bounds{limits_.mqtt_queue_messages, limits_.mqtt_queue_bytes};
  const QoS qos = entry.qos;
  const bool queued = of_commit ? client.outbox.push_of_commit(std::move(entry), bounds)
                                : client.outbox.push(std::move(entry), bounds);
  if (queued) return;
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
