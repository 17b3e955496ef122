#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "doctor/stomp/bound.hpp"
#include "doctor/stomp/unacked.hpp"

namespace doctor::stomp {

struct Connection;

enum class AckMode : std::uint8_t { automatic, client, client_individual };

/// What happens to a message for a subscription that has no room for it.
enum class Overflow : std::uint8_t {
  drop_oldest,  ///< the oldest that waits is dropped, and its subscriber is told how many were
  disconnect,   ///< the connection ends
  block,        ///< who sent it is not read from until there is room
};

/// Whether a subscription hears a notification, by its method (`|virt|VM_status|u1`).
using EventFilter = std::function<bool(std::string_view event)>;

struct Subscription {
  std::uint64_t serial = 0;
  Connection* connection = nullptr;  ///< null: it has ended
  std::optional<std::string> id;     ///< 1.0 can do without
  std::string destination;
  AckMode ack = AckMode::automatic;
  Overflow overflow = Overflow::disconnect;
  EventFilter filter;    ///< none: it hears everything
  std::size_t cost = 1;  ///< as how many subscriptions it counts
  std::size_t text = 0;  ///< octets of its id, its destination and what its filter keeps

  Unacked unacked;
  std::size_t waiting = 0;           ///< messages in the outbox
  std::size_t waiting_bytes = 0;     ///< of them
  std::uint64_t dropped = 0;         ///< of which the subscriber has not been told
  Bound dropped_over = Bound::none;  ///< what the last of them would have passed
  std::uint64_t last_heard = 0;      ///< the last delivery that reached it
};

using SubscriptionPtr = std::shared_ptr<Subscription>;

}  // namespace doctor::stomp
