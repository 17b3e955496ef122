#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "doctor/mqtt/publication.hpp"

namespace doctor::mqtt {

/// The messages that wait for one client, in order, and which QoS 1 messages it has been sent and
/// not acknowledged. Bounded by number and by bytes, counting a shared message in full, so that all
/// queues together never take more memory than the sum of their bounds.
class Outbox {
 public:
  struct Bounds {
    std::size_t messages = 0;
    std::size_t bytes = 0;
  };
  struct Entry {
    PublicationPtr publication;
    QoS qos = QoS::at_most_once;
    bool retain = false;
    bool commit_end = false;
  };

  /// Queues a message; false if it is over the bounds and was not.
  bool push(Entry entry, const Bounds& bounds);
  /// The same for a message of the commit that is being matched: it stays at the head until it is
  /// known whether another one of the commit follows, queued or not.
  bool push_of_commit(Entry entry, const Bounds& bounds);
  /// The commit has been matched: its last message, if it still waits, is marked as the end.
  void end_commit();

  /// The message that may be sent next; null if there is none, the commit holds it, or it is of
  /// QoS 1 and `window` messages are unacknowledged.
  const Entry* next(std::size_t window) const;
  /// Removes the message that `next` gave.
  void pop();

  /// A packet identifier that is not in use, from now on in flight. At most 65 535 are.
  std::uint16_t send();
  /// False if no message with this identifier is in flight.
  bool acknowledge(std::uint16_t packet_id);
  bool in_flight(std::uint16_t packet_id) const;

  void clear();
  bool empty() const { return entries_.empty(); }
  /// Whether nothing waits but what the commit holds at the head.
  bool drained() const { return entries_.empty() || held_ == popped_; }
  std::size_t bytes() const { return bytes_; }

 private:
  static std::size_t cost(const Entry& entry) {
    return sizeof(Entry) + entry.publication->memory();
  }

  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
  std::size_t longest_ = 0;               // that entries_ was since its memory was given back
  std::uint64_t popped_ = 0;              // entries_[0] is the popped_-th of all
  std::optional<std::uint64_t> held_;     // the newest queued message of the commit being matched
  std::vector<std::uint16_t> in_flight_;  // in the order of sending; acknowledged mostly in it
  std::uint16_t last_packet_id_ = 0;
};

}  // namespace doctor::mqtt
