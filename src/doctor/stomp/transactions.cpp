#include <utility>

#include "doctor/stomp/broker_impl.hpp"

// BEGIN, COMMIT, ABORT.
namespace doctor::stomp {
namespace {

constexpr Refusal missing{Fault::protocol, "Missing transaction"};
constexpr Refusal unknown{Fault::protocol, "No such transaction is open"};

}  // namespace

// Null if the frame is of no transaction.
Decoded<Transaction*> Broker::Impl::transaction_of(Connection& connection, const Frame& frame) {
  const auto name = frame.header("transaction");
  if (!name) return nullptr;
  const auto found = connection.transactions.find(*name);
  if (found == connection.transactions.end()) return unknown;
  return &found->second;
}

Decoded<void> Broker::Impl::keep(Transaction& transaction,
                                 std::variant<Message, Settlement> frame) {
  const Message* message = std::get_if<Message>(&frame);
  transaction.bytes += message != nullptr ? message->memory() : sizeof(Settlement);
  if (transaction.frames.size() >= limits_.transaction_frames) {
    return Refusal{Fault::limit,
                   "A transaction has more frames than the limit stomp_transaction_frames"};
  }
  if (transaction.bytes > limits_.transaction_bytes) {
    return Refusal{Fault::limit, "A transaction is larger than the limit stomp_transaction_bytes"};
  }
  transaction.frames.push_back(std::move(frame));
  return {};
}

Decoded<void> Broker::Impl::begin(Connection& connection, const Frame& frame) {
  const auto name = frame.header("transaction");
  if (!name) return missing;
  if (connection.transactions.contains(*name)) {
    return Refusal{Fault::protocol, "The transaction is open already"};
  }
  if (connection.transactions.size() >= limits_.transactions) {
    return Refusal{Fault::limit,
                   "There are more open transactions than the limit stomp_transactions"};
  }
  connection.transactions.emplace(*name, Transaction());
  return {};
}

// One step: nothing that others send comes between, since they are not looked at meanwhile.
Decoded<void> Broker::Impl::commit(Connection& connection, const Frame& frame) {
  const auto name = frame.header("transaction");
  if (!name) return missing;
  auto transaction = connection.transactions.extract(std::string(*name));
  if (transaction.empty()) return unknown;
  for (auto& kept : transaction.mapped().frames) {
    if (const auto* settlement = std::get_if<Settlement>(&kept)) {
      settle(*settlement);
    } else if (const auto done = take_effect(connection, std::get<Message>(std::move(kept)));
               !done) {
      return done.error();
    }
  }
  return {};
}

Decoded<void> Broker::Impl::abort(Connection& connection, const Frame& frame) {
  const auto name = frame.header("transaction");
  if (!name) return missing;
  auto transaction = connection.transactions.extract(std::string(*name));
  if (transaction.empty()) return unknown;
  for (auto& kept : transaction.mapped().frames) {
    const auto* settlement = std::get_if<Settlement>(&kept);
    if (settlement != nullptr) settlement->subscription->unacked.release(settlement->number);
  }
  return {};
}

Decoded<void> Broker::Impl::take_effect(Connection& connection, Message message) {
  const Routing routing = application_.sent({connection.id, connection.principal, message});
  ++figures_.messages_in;
  const auto publication = std::make_shared<const Publication>(std::move(message), routing.reach,
                                                               routing.subject, false);
  if (deliver(publication, routing, &connection) > 0 || routing.is_served) return {};
  ++figures_.unheard;
  if (!options_.strict_destinations) return {};
  return Refusal{Fault::protocol, "Subscription not available"};
}

}  // namespace doctor::stomp
