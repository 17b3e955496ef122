#include <algorithm>

#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {
namespace {

// How much of the feed is read at once for one client. It may all be for it, so it is also about
// how many messages wait for a client that is behind.
constexpr std::size_t changes_at_once = 256;

}  // namespace

void Broker::Impl::fall_behind(Client& client, const Place& place) {
  client.catching_up = std::make_unique<Client::CatchUp>();
  client.catching_up->place = place;
  for (const std::string& filter : client.filters) {
    Subscriptions::Subscriber own = *subscriptions_.find(client.number, {filter, {}});
    own.number = 0;
    client.catching_up->subscriptions.add(std::move(own), {filter, {}});
  }
  ++catching_up_;
  // Its socket has been given nothing yet, perhaps, but is to be measured from now on.
  if (!client.writing) client.moved_at = now_;
}

void Broker::Impl::catch_up(Client& client, std::size_t& changes) {
  while (client.catching_up && client.outbox.drained()) {
    Place& place = client.catching_up->place;
    if (place == place_ || client.filters.empty()) return rejoin(client);
    if (changes == 0) return looking_.push_back(client.id);
    client.moved_at = now_;  // what is slow here is not the client

    // Not beyond what has been matched for all.
    std::size_t count = changes_at_once;
    if (place.revision == place_.revision) count = std::min(count, place_.index - place.index);
    const auto stretch = feed_.read(place, count);
    if (!stretch) {
      return end(client, Reason::quota_exceeded, "what was to be heard has left the commit log",
                 &Figures::closed_behind);
    }
    apply_edits(client, place.revision);
    const document::Revision revision = place.revision;
    std::size_t taken = 0;
    count = stretch->changes.size();
    while (taken < count && offer(client, stretch->changes[taken])) ++taken;
    if (!client.catching_up) return;  // it has been ended
    const bool looks = stretch->changes.empty() && !stretch->ends_commit;
    changes -= std::min(changes, looks ? changes_at_once : count + 1);
    Feed::pass(place, *stretch, taken);
    if (place.revision != revision) client.outbox.end_commit();
    if (taken < count) return;  // the queue is full
  }
}

bool Broker::Impl::offer(Client& client, const document::Change& change) {
  if (!client.matched.permissions().may_read(change.collection, change.id)) return true;
  const std::string topic = document_topic(change.collection, change.id);
  client.catching_up->subscriptions.match(topic, std::nullopt, matches_);
  if (matches_.empty()) return true;
  const auto publication =
      Publication::announcement(topic, change, client.catching_up->place.revision);
  const Outbox::Entry entry{publication, matches_.each[0].options.qos, false, false};
  if (push_announcement(client, entry)) return true;
  if (!client.outbox.empty()) return false;
  push(client, entry);  // too large for an empty queue, so it is not for this client
  return client.state == Client::State::connected;
}

void Broker::Impl::rejoin(Client& client) {
  if (client.catching_up->place == place_) {
    if (place_.index > 0) touched_.push_back(client.id);
  } else {
    client.outbox.end_commit();
  }
  client.catching_up.reset();
  --catching_up_;
}

}  // namespace doctor::mqtt
