#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "doctor/base/ring.hpp"
#include "doctor/mqtt/message.hpp"

namespace doctor::mqtt {

/// What a session was sent at QoS 1 and 2 and has not acknowledged to the end, in the order of
/// sending, which is the order in which it is sent again [MQTT-4.6.0-1]. Packet identifiers count
/// up from 1 and are not used again while they are in use [MQTT-2.2.1-4]; at most 65 535 are.
class Inflight {
 public:
  struct Sent {
    std::uint64_t number = 0;  ///< counts what was sent; the packet identifier follows from it
    std::uint16_t packet_id = 0;
    Message message;
    bool received = false;     ///< QoS 2: PUBREC came, so PUBREL is what is sent again
    bool takes_quota = false;  ///< the message was sent on the connection that there is (§4.9)
  };

  /// @param message  of QoS 1 or 2. There must be room: size() < 65 535
  /// @return valid until the next call
  const Sent& add(Message message);
  /// One that was added in an earlier life, after those with lower numbers.
  void restore(std::uint64_t number, Message message, bool received);
  /// The number of the next one to be added is not lower.
  std::uint64_t next() const { return next_; }
  void set_next(std::uint64_t number) { next_ = number; }

  /// The message with this identifier; null if there is none.
  const Sent* find(std::uint16_t packet_id) const;
  /// PUBREC came: from now on `received`. Keeps the identifier, not the message.
  void receive(std::uint16_t packet_id);
  /// PUBACK, PUBCOMP or a refusing PUBREC came: the identifier is free.
  void remove(std::uint16_t packet_id);
  /// None of the messages has a record any more.
  void forget_records();
  /// Another connection begins, on which nothing has been sent yet.
  void begin_connection();
  /// The message was sent on it.
  void take_quota(std::uint16_t packet_id);

  /// Calls `act(const Sent&)` for each in the order of sending.
  template <class Act>
  void for_each(Act act) const {
    for (const Slot& slot : slots_) {
      if (slot.taken) act(slot.sent);
    }
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Memory of the messages, shared ones counted in full.
  std::size_t bytes() const { return bytes_; }

 private:
  // Sent numbers grow, as a rule by one; the identifier is what is left of the number by 65 535,
  // plus 1. So a slot is mostly where its number says, or else found by a binary search.
  struct Slot {
    Sent sent;
    bool taken = true;
  };

  static std::uint16_t id_of(std::uint64_t number);
  // The first from this place on whose number is not lower.
  std::size_t place_of(std::uint64_t number, std::size_t from) const;
  std::optional<std::size_t> place_of_identifier(std::uint16_t packet_id) const;
  void release(Slot& slot);

  Ring<Slot> slots_;  // by number; the first one is taken
  std::uint64_t next_ = 0;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace doctor::mqtt
