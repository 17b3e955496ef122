#include <algorithm>
#include <limits>
#include <optional>

#include "doctor/base/text.hpp"
#include "doctor/stomp/broker_impl.hpp"

// ACK and NACK.
namespace doctor::stomp {
namespace {

constexpr Refusal missing{Fault::protocol, "Missing the id of the message"};
constexpr Refusal unknown{Fault::protocol, "No such message waits for ACK or NACK"};

std::optional<std::uint64_t> number_of(std::string_view text) {
  return parse_unsigned(text, std::numeric_limits<std::uint64_t>::max());
}

SubscriptionPtr by_serial(const std::vector<SubscriptionPtr>& all, std::uint64_t serial) {
  const auto found = std::lower_bound(
      all.begin(), all.end(), serial,
      [](const SubscriptionPtr& other, std::uint64_t wanted) { return other->serial < wanted; });
  return found != all.end() && (*found)->serial == serial ? *found : nullptr;
}

}  // namespace

// 1.2 names the message as the header `ack` of MESSAGE did, which is SERIAL-NUMBER; 1.1 by
// `message-id` and `subscription`; 1.0 can do without the latter.
Decoded<Settlement> Broker::Impl::settlement_of(Connection& connection, const Frame& frame) const {
  Settlement settlement;
  settlement.is_nack = frame.command == Command::nack;
  std::optional<std::uint64_t> number;
  if (connection.version == Version::v1_2) {
    const auto id = frame.header("id");
    if (!id) return missing;
    const std::size_t dash = std::min(id->find('-'), id->size());
    const auto serial = number_of(id->substr(0, dash));
    number = number_of(id->substr(std::min(dash + 1, id->size())));
    if (serial) settlement.subscription = by_serial(connection.subscriptions, *serial);
  } else {
    const auto id = frame.header("message-id");
    const auto subscription = frame.header("subscription");
    if (!id || (!subscription && connection.version == Version::v1_1)) return missing;
    number = number_of(*id);
    if (subscription) {
      const auto found = connection.by_id.find(std::string(*subscription));
      if (found != connection.by_id.end()) settlement.subscription = found->second;
    } else if (number) {
      const auto found = std::find_if(
          connection.subscriptions.begin(), connection.subscriptions.end(),
          [&](const SubscriptionPtr& other) { return other->unacked.can_settle(*number); });
      if (found != connection.subscriptions.end()) settlement.subscription = *found;
    }
  }
  if (!settlement.subscription || !number ||
      !settlement.subscription->unacked.can_settle(*number)) {
    return unknown;
  }
  settlement.number = *number;
  return settlement;
}

Decoded<void> Broker::Impl::acknowledge(Connection& connection, const Frame& frame) {
  auto settlement = settlement_of(connection, frame);
  if (!settlement) return settlement.error();
  const auto transaction = transaction_of(connection, frame);
  if (!transaction) return transaction.error();
  if (*transaction == nullptr) {
    settle(*settlement);
    return {};
  }
  settlement->subscription->unacked.claim(settlement->number);
  return keep(connection, **transaction, std::move(*settlement));
}

void Broker::Impl::settle(const Settlement& settlement) {
  Subscription& subscription = *settlement.subscription;
  if (subscription.connection == nullptr) return;  // it ended before the transaction did
  const std::size_t settled =
      subscription.unacked.settle(settlement.number, subscription.ack == AckMode::client);
  subscription.connection->unacked -= settled;
  if (settlement.is_nack) figures_.nacked += settled;
  if (subscription.dropped > 0) mark(*subscription.connection);  // there may be room to tell it
}

}  // namespace doctor::stomp
