#include <algorithm>
#include <utility>

#include "doctor/stomp/broker_impl.hpp"

// The frames after CONNECT.
namespace doctor::stomp {
namespace {

bool is_uuid(std::string_view text) {
  constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::equal(text.begin(), text.end(), form.begin(), form.end(), [](char c, char like) {
    const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    return like == 'x' ? is_hex : c == like;
  });
}

// What oVirt's Java client subscribes with.
bool looks_like_ovirt(const Subscription& subscription, const Frame& frame) {
  return frame.header("ack") == "auto" && subscription.destination.starts_with("jms.") &&
         subscription.id && is_uuid(*subscription.id);
}

Decoded<AckMode> ack_mode_of(const Frame& frame) {
  const std::string_view text = frame.header("ack").value_or("auto");
  if (text == "auto") return AckMode::automatic;
  if (text == "client") return AckMode::client;
  if (text == "client-individual") return AckMode::client_individual;
  return Refusal{Fault::protocol, "Unknown ack mode"};
}

Decoded<Overflow> overflow_of(const Frame& frame, const Terms& terms) {
  const auto text = frame.header("x-overflow");
  if (!text) return terms.overflow;
  if (*text == "drop-oldest") return Overflow::drop_oldest;
  if (*text == "disconnect") return Overflow::disconnect;
  if (*text != "block") return Refusal{Fault::protocol, "Unknown x-overflow"};
  if (!terms.may_block) {
    return Refusal{Fault::forbidden, "x-overflow:block is not for this subscription"};
  }
  return Overflow::block;
}

}  // namespace

void Broker::Impl::handle(Connection& connection, const RawFrame& raw) {
  const auto frame = decode(raw, connection.version);
  if (!frame) return fail(connection, frame.error());
  const auto receipt = frame->header("receipt");
  if (const auto done = perform(connection, *frame); !done) {
    return fail(connection, done.error(), receipt);
  }
  if (receipt && connection.state == Connection::State::connected) {
    send(connection, Command::receipt, {{"receipt-id", *receipt}});
  }
  if (frame->command == Command::disconnect) end(connection);
}

Decoded<void> Broker::Impl::perform(Connection& connection, const Frame& frame) {
  switch (frame.command) {
    case Command::send:
      return send(connection, frame);
    case Command::subscribe:
      return subscribe(connection, frame);
    case Command::unsubscribe:
      return unsubscribe(connection, frame);
    case Command::nack:
      if (connection.version == Version::v1_0) {
        return Refusal{Fault::protocol, "NACK is not of version 1.0"};
      }
      [[fallthrough]];
    case Command::ack:
      return acknowledge(connection, frame);
    case Command::begin:
      return begin(connection, frame);
    case Command::commit:
      return commit(connection, frame);
    case Command::abort:
      return abort(connection, frame);
    case Command::disconnect:
      return {};
    case Command::connect:
    case Command::stomp:
      return Refusal{Fault::protocol, "Already connected"};
    case Command::connected:
    case Command::message:
    case Command::receipt:
    case Command::error:
      break;
  }
  return Refusal{Fault::protocol, "A client may not send this command"};
}

Decoded<std::string> Broker::Impl::destination_of(const Frame& frame,
                                                  std::string_view missing) const {
  const auto destination = frame.header("destination");
  if (!destination || destination->empty()) return Refusal{Fault::protocol, missing};
  // Each of them is looked up.
  if (segments_of(*destination) > limits_.stomp_destination_segments) {
    return Refusal{Fault::limit,
                   "The destination has more segments than the limit stomp_destination_segments"};
  }
  return std::string(*destination);
}

Decoded<void> Broker::Impl::send(Connection& connection, const Frame& frame) {
  if (const auto destination = destination_of(frame, "Missing destination"); !destination) {
    return destination.error();
  }
  Message message = message_of(frame);
  const auto allowed = application_.sending({connection.id, connection.principal, message});
  if (!allowed) return allowed.error();
  const auto transaction = transaction_of(connection, frame);
  if (!transaction) return transaction.error();
  if (*transaction != nullptr) return keep(connection, **transaction, std::move(message));
  if (take_effect(connection, std::move(message)) || !options_.strict_destinations) return {};
  return unheard;
}

Decoded<void> Broker::Impl::subscribe(Connection& connection, const Frame& frame) {
  constexpr std::string_view missing = "Missing destination or subscription id header";
  const auto id = frame.header("id");
  if (!id && connection.version != Version::v1_0) return Refusal{Fault::protocol, missing};
  auto destination = destination_of(frame, missing);
  if (!destination) return destination.error();
  if (id && connection.by_id.contains(std::string(*id))) {
    return Refusal{Fault::protocol, "Subscription id already exists"};
  }
  const auto ack = ack_mode_of(frame);
  if (!ack) return ack.error();
  auto terms = application_.subscribing({connection.principal, frame});
  if (!terms) return terms.error();
  if (connection.subscriptions_cost + terms->cost > limits_.stomp_subscriptions) {
    return Refusal{Fault::limit, "There are more subscriptions than the limit stomp_subscriptions"};
  }
  const std::size_t text = id.value_or("").size() + destination->size() + terms->filter_text;
  if (connection.subscriptions_text + text > limits_.stomp_subscriptions_bytes) {
    return Refusal{
        Fault::limit,
        "The subscriptions are together larger than the limit stomp_subscriptions_bytes"};
  }
  const auto overflow = overflow_of(frame, *terms);
  if (!overflow) return overflow.error();

  auto subscription = std::make_shared<Subscription>();
  subscription->serial = ++last_serial_;
  subscription->connection = &connection;
  if (id) subscription->id = std::string(*id);
  subscription->destination = std::move(*destination);
  subscription->ack = *ack;
  subscription->overflow = *overflow;
  subscription->filter = std::move(terms->filter);
  subscription->cost = terms->cost;
  subscription->text = text;
  connection.subscriptions_cost += terms->cost;
  connection.subscriptions_text += text;
  if (looks_like_ovirt(*subscription, frame)) connection.ovirt.is = true;
  destinations_.add(subscription);
  if (id) connection.by_id.emplace(*id, subscription);
  connection.subscriptions.push_back(std::move(subscription));
  return {};
}

Decoded<void> Broker::Impl::unsubscribe(Connection& connection, const Frame& frame) {
  const auto id = frame.header("id");
  const auto destination = frame.header("destination");
  const bool by_destination = !id && destination && connection.version == Version::v1_0;
  if (!id && !by_destination) return Refusal{Fault::protocol, "Missing subscription id header"};
  // An id that is unknown is none of ours: oVirt's Java client ends those of its earlier
  // connections too.
  std::erase_if(connection.subscriptions, [&](const SubscriptionPtr& subscription) {
    const bool is_it = id ? subscription->id == *id
                          : !subscription->id && subscription->destination == *destination;
    if (is_it) {
      connection.subscriptions_cost -= subscription->cost;
      connection.subscriptions_text -= subscription->text;
      end_subscription(*subscription);
    }
    return is_it;
  });
  if (id) connection.by_id.erase(std::string(*id));
  return {};
}

void Broker::Impl::end_subscription(Subscription& subscription) {
  figures_.nacked += subscription.unacked.size();
  subscription.connection->unacked -= subscription.unacked.size();
  destinations_.remove(subscription);
  subscription.connection = nullptr;
}

}  // namespace doctor::stomp
