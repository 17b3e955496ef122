#include <algorithm>
#include <utility>

#include "doctor/stomp/broker_impl.hpp"

// Who hears a message, and what happens when he has no room for it.
namespace doctor::stomp {

std::size_t Broker::Impl::publish(Message message, const Routing& routing, Clock::time_point now) {
  now_ = now;
  const std::size_t heard = deliver(std::make_shared<const Publication>(
                                        std::move(message), routing.reach, routing.subject, false),
                                    routing, nullptr);
  settle();
  return heard;
}

std::size_t Broker::Impl::answer(const Answer& answer, Clock::time_point now) {
  now_ = now;
  const auto covers_any = [&](const Subscription& subscription) {
    return std::any_of(
        answer.reply_to.begin(), answer.reply_to.end(),
        [&](const std::string& name) { return covers(subscription.destination, name); });
  };
  std::size_t heard = 0;
  auto publication =
      std::make_shared<const Publication>(answer.message, Reach::subscribers, std::nullopt, true);
  if (const Connection* asked = find(answer.asked)) {
    for (const SubscriptionPtr& subscription : asked->subscriptions) {
      if (covers_any(*subscription) && offer(subscription, publication, nullptr)) ++heard;
    }
  }
  if (heard == 0 && answer.for_connectors) {
    Routing routing;
    routing.destinations = answer.reply_to;
    routing.each = true;
    publication =
        std::make_shared<const Publication>(answer.message, Reach::connectors, std::nullopt, true);
    heard = deliver(publication, routing, nullptr);
  }
  if (heard == 0) {
    ++figures_.dropped_answers;
    constexpr std::size_t shown_max = 200;
    warnings_.warn(Warning::answers,
                   "STOMP: an answer had no subscriber: who asked should subscribe to " +
                       answer.message.destination.substr(0, shown_max) +
                       ", or name another destination in reply-to",
                   now_);
  }
  settle();
  return heard;
}

std::size_t Broker::Impl::deliver(const PublicationPtr& publication, const Routing& routing,
                                  Connection* publisher) {
  const std::uint64_t delivery = ++last_delivery_;
  std::size_t heard = 0;
  for (std::size_t name = 0; name < routing.destinations.size(); ++name) {
    destinations_.match(routing.destinations[name], [&](const SubscriptionPtr& subscription) {
      Connection& receiver = *subscription->connection;
      if (!publication->may_be_heard_by(receiver.principal)) return;
      if (routing.each) {
        if (std::exchange(subscription->last_heard, delivery) == delivery) return;
      } else {
        const auto last = receiver.last_name;
        if (last.first == delivery && last.second < name) return;
        receiver.last_name = {delivery, name};
      }
      const bool passes =
          !subscription->filter || routing.events.empty() ||
          std::any_of(routing.events.begin(), routing.events.end(), subscription->filter);
      if (passes && offer(subscription, publication, publisher)) ++heard;
    });
  }
  return heard;
}

bool Broker::Impl::offer(const SubscriptionPtr& subscription, const PublicationPtr& publication,
                         Connection* publisher) {
  Connection& receiver = *subscription->connection;
  if (receiver.overflows) return false;
  Outbox::Entry entry;
  entry.subscription = subscription;
  entry.publication = publication;
  entry.number = ++last_message_;
  entry.may_be_dropped =
      subscription->overflow == Overflow::drop_oldest && !publication->is_answer();

  const bool fits =
      has_unacked_room(*subscription, *publication) && receiver.outbox.fits(entry, outbox_bounds());
  if (fits) {
    push(receiver, std::move(entry));
  } else {
    overflow(subscription, std::move(entry), publisher);
  }
  return true;
}

bool Broker::Impl::has_unacked_room(const Subscription& subscription,
                                    const Publication& publication) const {
  const Unacked& unacked = subscription.unacked;
  // What is kept of each is little, but a connection may have many subscriptions.
  return subscription.ack == AckMode::automatic ||
         (subscription.connection->unacked < limits_.stomp_outbox_frames &&
          unacked.size() + subscription.waiting < limits_.stomp_unacked_messages &&
          unacked.bytes() + subscription.waiting_bytes + publication.memory() <=
              limits_.stomp_unacked_bytes);
}

bool Broker::Impl::make_room(Connection& connection, const Outbox::Entry& entry) {
  // It does not help to drop all for what is larger than all of it.
  const bool may_fit = entry.cost() <= limits_.stomp_outbox_bytes;
  while (may_fit && !connection.outbox.fits(entry, outbox_bounds())) {
    const auto dropped = connection.outbox.drop_oldest();
    if (!dropped) return false;
    drop(*dropped->subscription);
  }
  return may_fit;
}

void Broker::Impl::give_up(Connection& connection) {
  connection.overflows = true;
  overflown_.push_back(connection.id);
}

void Broker::Impl::push(Connection& connection, Outbox::Entry entry) {
  connection.outbox.push(std::move(entry));
  mark(connection);
}

void Broker::Impl::overflow(const SubscriptionPtr& subscription, Outbox::Entry entry,
                            Connection* publisher) {
  Connection& receiver = *subscription->connection;
  // What was sent and is not settled cannot be dropped any more: then the new one is.
  const bool has_room = has_unacked_room(*subscription, *entry.publication);
  if (has_room && make_room(receiver, entry)) return push(receiver, std::move(entry));
  if (entry.may_be_dropped) return drop(*subscription);
  const bool may_wait = subscription->overflow == Overflow::block && publisher != nullptr &&
                        !entry.publication->is_answer();
  if (!may_wait) return give_up(receiver);
  push(receiver, std::move(entry));
  block(*publisher, receiver);
}

void Broker::Impl::drop(Subscription& subscription) {
  ++figures_.dropped_overflow;
  ++subscription.dropped;
  if (subscription.connection == nullptr) return;
  subscription.connection->has_dropped = true;
  warnings_.warn(Warning::dropped,
                 "STOMP: dropped messages for " + subscription.connection->peer +
                     ": it does not read or acknowledge them",
                 now_);
}

// One that fills its own outbox waits too, for its own socket.
void Broker::Impl::block(Connection& publisher, Connection& receiver) {
  const auto& all = receiver.blocking;
  if (std::find(all.begin(), all.end(), publisher.id) != all.end()) return;
  receiver.blocking.push_back(publisher.id);
  ++publisher.blocked;
  mark(publisher);
}

void Broker::Impl::unblock(Connection& receiver) {
  for (const ConnectionId id : std::exchange(receiver.blocking, {})) {
    Connection* publisher = find(id);
    if (publisher == nullptr || --publisher->blocked > 0) continue;
    mark(*publisher);
    unblocked_.push_back(id);
  }
}

// A notice that is dropped itself would take along what it tells: it waits for room, and stays.
void Broker::Impl::tell_of_dropped(Connection& connection) {
  connection.has_dropped = false;
  for (const SubscriptionPtr& subscription : connection.subscriptions) {
    if (subscription->dropped == 0) continue;
    auto notice = application_.overflowed(*subscription, subscription->dropped, now_);
    if (!notice) continue;
    Outbox::Entry entry;
    entry.subscription = subscription;
    entry.publication = std::make_shared<const Publication>(std::move(*notice), Reach::subscribers,
                                                            std::nullopt, false);
    if (!has_unacked_room(*subscription, *entry.publication) ||
        !connection.outbox.fits(entry, outbox_bounds())) {
      connection.has_dropped = true;
      continue;
    }
    subscription->dropped = 0;
    entry.number = ++last_message_;
    push(connection, std::move(entry));
  }
}

}  // namespace doctor::stomp
