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

// Calls `hear` with the subscription of each that is to hear it, if there is room.
template <class Hear>
void Broker::Impl::each_receiver(const Publication& publication, const Routing& routing,
                                 const Hear& hear) {
  const std::uint64_t delivery = ++last_delivery_;
  for (std::size_t name = 0; name < routing.destinations.size(); ++name) {
    destinations_.match(routing.destinations[name], [&](const SubscriptionPtr& subscription) {
      Connection& receiver = *subscription->connection;
      if (!publication.may_be_heard_by(receiver.principal)) return;
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
      if (passes && receiver.overflows == Bound::none) hear(subscription);
    });
  }
}

bool Broker::Impl::would_be_heard(const Connection& connection, const Message& message) {
  const Routing routing = application_.route({connection.id, connection.principal, message});
  bool is_heard = routing.is_served;
  each_receiver(Publication({}, routing.reach, routing.subject, false), routing,
                [&](const SubscriptionPtr&) { is_heard = true; });
  return is_heard;
}

std::size_t Broker::Impl::deliver(const PublicationPtr& publication, const Routing& routing,
                                  Connection* publisher) {
  std::size_t heard = 0;
  each_receiver(*publication, routing, [&](const SubscriptionPtr& subscription) {
    if (offer(subscription, publication, publisher)) ++heard;
  });
  return heard;
}

bool Broker::Impl::offer(const SubscriptionPtr& subscription, const PublicationPtr& publication,
                         Connection* publisher) {
  Connection& receiver = *subscription->connection;
  if (receiver.overflows != Bound::none) return false;
  Outbox::Entry entry;
  entry.subscription = subscription;
  entry.publication = publication;
  entry.number = ++last_message_;
  entry.may_be_dropped =
      subscription->overflow == Overflow::drop_oldest && !publication->is_answer();

  const bool fits = unacked_bound(*subscription, *publication) == Bound::none &&
                    receiver.outbox.passed_by(entry, outbox_bounds()) == Bound::none;
  if (fits) {
    push(receiver, std::move(entry));
  } else {
    overflow(subscription, std::move(entry), publisher);
  }
  return true;
}

Bound Broker::Impl::unacked_bound(const Subscription& subscription,
                                  const Publication& publication) const {
  if (subscription.ack == AckMode::automatic) return Bound::none;
  const Unacked& unacked = subscription.unacked;
  // What is kept of each is little, but a connection may have many subscriptions.
  if (subscription.connection->unacked >= limits_.stomp_outbox_frames) return Bound::outbox_frames;
  if (unacked.size() + subscription.waiting >= limits_.stomp_unacked_messages) {
    return Bound::unacked_messages;
  }
  const std::size_t bytes = unacked.bytes() + subscription.waiting_bytes + publication.memory();
  return bytes > limits_.stomp_unacked_bytes ? Bound::unacked_bytes : Bound::none;
}

Bound Broker::Impl::make_room(Connection& connection, const Outbox::Entry& entry) {
  Outbox& outbox = connection.outbox;
  for (;;) {
    const Bound passed = outbox.passed_by(entry, outbox_bounds());
    // It does not help to drop all for what is larger than all of it.
    if (passed == Bound::none || !outbox.may_hold(entry, outbox_bounds())) return passed;
    const auto dropped = outbox.drop_oldest();
    if (!dropped) return passed;
    drop(*dropped->subscription, passed);
  }
}

void Broker::Impl::give_up(Connection& connection, Bound passed) {
  connection.overflows = passed;
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
  Bound passed = unacked_bound(*subscription, *entry.publication);
  if (passed == Bound::none) passed = make_room(receiver, entry);
  if (passed == Bound::none) return push(receiver, std::move(entry));
  if (entry.may_be_dropped) return drop(*subscription, passed);
  const bool may_wait = subscription->overflow == Overflow::block && publisher != nullptr &&
                        !entry.publication->is_answer() &&
                        receiver.outbox.all_have_room(entry, outbox_bounds());
  if (!may_wait) return give_up(receiver, passed);
  push(receiver, std::move(entry));
  block(*publisher, receiver);
}

void Broker::Impl::drop(Subscription& subscription, Bound passed) {
  const bool is_own = passed != Bound::outboxes_bytes;
  ++(is_own ? figures_.dropped_overflow : figures_.dropped_outboxes);
  ++subscription.dropped;
  subscription.dropped_over = passed;
  if (subscription.connection == nullptr) return;
  subscription.connection->has_dropped = true;
  warnings_.warn(is_own ? Warning::dropped : Warning::outboxes,
                 "STOMP: dropped messages for " + subscription.connection->peer +
                     (is_own ? ": it does not read or acknowledge them ("
                             : ": too much waits for all clients together (") +
                     std::string(name_of(passed)) + ")",
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
    if (unacked_bound(*subscription, *entry.publication) != Bound::none ||
        connection.outbox.passed_by(entry, outbox_bounds()) != Bound::none) {
      connection.has_dropped = true;
      continue;
    }
    subscription->dropped = 0;
    entry.number = ++last_message_;
    push(connection, std::move(entry));
  }
}

}  // namespace doctor::stomp
