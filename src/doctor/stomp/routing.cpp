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
    warnings_.warn(Warnings::Kind::answers, "STOMP: an answer had no subscriber", now_);
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

  const Subscription& s = *subscription;
  const bool is_unacked_full =
      s.ack != AckMode::automatic &&
      (s.unacked.size() + s.waiting >= limits_.unacked_messages ||
       s.unacked.bytes() + s.waiting_bytes + publication->memory() > limits_.unacked_bytes);
  if (is_unacked_full || !receiver.outbox.fits(entry, outbox_bounds())) {
    overflow(subscription, std::move(entry), publisher);
  } else {
    push(receiver, std::move(entry));
  }
  return true;
}

void Broker::Impl::push(Connection& connection, Outbox::Entry entry) {
  connection.outbox.push(std::move(entry));
  mark(connection);
}

void Broker::Impl::overflow(const SubscriptionPtr& subscription, Outbox::Entry entry,
                            Connection* publisher) {
  Connection& receiver = *subscription->connection;
  if (entry.may_be_dropped) {
    // What is not settled cannot be dropped any more, nor does it help to make room for what is
    // larger than all of it: then the new one is dropped.
    const Subscription& s = *subscription;
    const bool is_outbox_full = !receiver.outbox.fits(entry, outbox_bounds());
    const bool may_fit = entry.cost() <= limits_.outbox_bytes;
    while (may_fit && !receiver.outbox.fits(entry, outbox_bounds())) {
      const auto dropped = receiver.outbox.drop_oldest();
      if (!dropped) break;
      drop(*dropped->subscription);
    }
    const bool has_room = s.ack == AckMode::automatic ||
                          (s.unacked.size() + s.waiting < limits_.unacked_messages &&
                           s.unacked.bytes() + s.waiting_bytes + entry.publication->memory() <=
                               limits_.unacked_bytes);
    if (is_outbox_full && has_room && receiver.outbox.fits(entry, outbox_bounds())) {
      push(receiver, std::move(entry));
    } else {
      drop(*subscription);
    }
    return;
  }
  const bool may_wait = subscription->overflow == Overflow::block && publisher != nullptr &&
                        !entry.publication->is_answer();
  if (!may_wait) {
    receiver.overflows = true;
    overflown_.push_back(receiver.id);
    return;
  }
  push(receiver, std::move(entry));
  block(*publisher, receiver);
}

void Broker::Impl::drop(Subscription& subscription) {
  ++figures_.dropped_overflow;
  ++subscription.dropped;
  if (subscription.connection == nullptr) return;
  subscription.connection->has_dropped = true;
  warnings_.warn(Warnings::Kind::dropped,
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

void Broker::Impl::tell_of_dropped(Connection& connection) {
  connection.has_dropped = false;
  for (const SubscriptionPtr& subscription : connection.subscriptions) {
    if (subscription->dropped == 0) continue;
    auto notice = application_.overflowed(*subscription, std::exchange(subscription->dropped, 0));
    if (!notice) continue;
    offer(subscription,
          std::make_shared<const Publication>(std::move(*notice), Reach::subscribers, std::nullopt,
                                              false),
          nullptr);
  }
}

}  // namespace doctor::stomp
