#include <algorithm>

#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {
namespace {

// How much of the feed is read at once for one client. It may all be for it, so it is also about
// how many messages wait for a client that is behind.
constexpr std::size_t changes_at_once = 256;

}  // namespace

void Broker::Impl::fall_behind(Session& session, const document::FeedPlace& place) {
  session.catching_up = std::make_unique<Session::CatchUp>();
  session.catching_up->place = place;
  touch(session);  // its place is its own from now on
  for (const Session::Own& own : session.filters) {
    if (own.group) continue;
    Subscriptions::Subscriber subscriber = *subscriptions_.find(session.number, own.key());
    subscriber.number = 0;
    session.catching_up->subscriptions.add(std::move(subscriber), own.key());
  }
  Client* client = session.client;
  if (client == nullptr) return;
  ++catching_up_;
  // Its socket has been given nothing yet, perhaps, but is to be measured from now on.
  if (!client->writing) client->moved_at = now_;
}

void Broker::Impl::catch_up(Client& client, std::size_t& changes) {
  Session& session = *client.session;
  while (session.catching_up && session.outbox.drained()) {
    document::FeedPlace& place = session.catching_up->place;
    if (place == place_ || session.filters.empty()) return rejoin(session);
    if (changes == 0) return looking_.push_back(client.id);
    client.moved_at = now_;  // what is slow here is not the client

    // Not beyond what has been matched for all.
    std::size_t count = changes_at_once;
    if (place.revision == place_.revision) count = std::min(count, place_.index - place.index);
    const auto stretch = feed_.read(place, count);
    if (!stretch) {
      session.expiry = {};
      warnings_.warn(Warning::behind,
                     "MQTT: closed " + client.peer +
                         ": what it was to hear has left the commit log (log_retention, log_size)",
                     now_);
      return end(client, Reason::quota_exceeded, "what was to be heard has left the commit log",
                 &Figures::closed_behind);
    }
    apply_edits(session, place.revision);
    const document::Revision revision = place.revision;
    std::size_t taken = 0;
    count = stretch->changes.size();
    const auto offered = [&](std::size_t i) {
      return offer(session, stretch->changes[i], {place.revision, place.index + i});
    };
    while (taken < count && offered(taken)) ++taken;
    if (client.session == nullptr) return;  // it has been ended
    const bool looks = stretch->changes.empty() && !stretch->ends_commit;
    changes -= std::min(changes, looks ? changes_at_once : count + 1);
    document::Feed::pass(place, *stretch, taken);
    if (place.revision != revision) session.outbox.end_commit();
    if (taken < count) return;  // the queue is full
  }
}

bool Broker::Impl::offer(Session& session, const document::Change& change,
                         const FeedPosition& position) {
  if (session.since >= position.revision) return true;
  if (!session.matched.permissions().may_read(change.collection, change.id)) return true;
  const std::string topic = document_topic(change.collection, change.id);
  session.catching_up->subscriptions.match(topic, std::nullopt, matches_);
  if (matches_.empty()) return true;
  const Subscriptions::Subscriber& match = matches_.each[0];
  const bool was_away = position.revision <= session.catching_up->away;
  if (was_away && match.options.qos == QoS::at_most_once) return true;
  const Message message{Publication::announcement(topic, change, position), match.options.qos,
                        false, false, match.identifiers};
  if (push_announcement(session, message)) return true;
  if (!session.outbox.empty()) return false;
  session.expiry = {};     // it would be the next one again
  push(session, message);  // too large for an empty queue, so it is not for this client
  return session.client != nullptr;
}

void Broker::Impl::rejoin(Session& session) {
  if (session.catching_up->place == place_) {
    if (place_.index > 0) touched_.push_back(session.number);
  } else {
    session.outbox.end_commit();
  }
  session.catching_up.reset();
  touch(session);
  --catching_up_;
}

}  // namespace doctor::mqtt
