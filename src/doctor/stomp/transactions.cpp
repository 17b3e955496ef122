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

Decoded<void> Broker::Impl::keep(Connection& connection, Transaction& transaction,
                                 std::variant<Message, Settlement> frame) {
  const Message* message = std::get_if<Message>(&frame);
  const std::size_t bytes = message != nullptr ? message->memory() : sizeof(Settlement);
  transaction.bytes += bytes;
  connection.transactions_bytes += bytes;
  if (transaction.frames.size() >= limits_.stomp_transaction_frames) {
    return Refusal{Fault::limit,
                   "A transaction has more frames than the limit stomp_transaction_frames"};
  }
  if (transaction.bytes > limits_.stomp_transaction_bytes) {
    return Refusal{Fault::limit, "A transaction is larger than the limit stomp_transaction_bytes"};
  }
  if (connection.transactions_bytes > limits_.stomp_transactions_bytes) {
    return Refusal{
        Fault::limit,
        "The open transactions are together larger than the limit stomp_transactions_bytes"};
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
  if (connection.transactions.size() >= limits_.stomp_transactions) {
    return Refusal{Fault::limit,
                   "There are more open transactions than the limit stomp_transactions"};
  }
  connection.transactions.emplace(*name, Transaction());
  return {};
}

std::optional<Transaction> Broker::Impl::close(Connection& connection, std::string_view name) {
  const auto found = connection.transactions.find(name);
  if (found == connection.transactions.end()) return std::nullopt;
  Transaction closed = std::move(found->second);
  connection.transactions.erase(found);
  connection.transactions_bytes -= closed.bytes;
  return closed;
}

// One step: nothing that others send comes between, since they are not looked at meanwhile. All of
// it takes effect or nothing: whatever may refuse a frame of it is asked before.
Decoded<void> Broker::Impl::commit(Connection& connection, const Frame& frame) {
  const auto name = frame.header("transaction");
  if (!name) return missing;
  auto transaction = close(connection, *name);
  if (!transaction) return unknown;
  if (options_.strict_destinations) {
    for (const auto& kept : transaction->frames) {
      const auto* message = std::get_if<Message>(&kept);
      if (message == nullptr || would_be_heard(connection, *message)) continue;
      ++figures_.unheard;
      return unheard;
    }
  }
  for (auto& kept : transaction->frames) {
    if (const auto* settlement = std::get_if<Settlement>(&kept)) {
      settle(*settlement);
    } else {
      take_effect(connection, std::get<Message>(std::move(kept)));
    }
  }
  return {};
}

Decoded<void> Broker::Impl::abort(Connection& connection, const Frame& frame) {
  const auto name = frame.header("transaction");
  if (!name) return missing;
  auto transaction = close(connection, *name);
  if (!transaction) return unknown;
  for (auto& kept : transaction->frames) {
    const auto* settlement = std::get_if<Settlement>(&kept);
    if (settlement != nullptr) settlement->subscription->unacked.release(settlement->number);
  }
  return {};
}

bool Broker::Impl::take_effect(Connection& connection, Message message) {
  const Routing routing = application_.sent({connection.id, connection.principal, message});
  ++figures_.messages_in;
  const auto publication = std::make_shared<const Publication>(std::move(message), routing.reach,
                                                               routing.subject, false);
  if (deliver(publication, routing, &connection) > 0 || routing.is_served) return true;
  ++figures_.unheard;
  return false;
}

}  // namespace doctor::stomp
