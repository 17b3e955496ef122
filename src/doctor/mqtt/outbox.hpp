#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "doctor/base/ring.hpp"
#include "doctor/mqtt/message.hpp"

namespace doctor::mqtt {

/// The messages that wait for one session, in order. Bounded by number and by bytes, counting a
/// shared message in full, so that all queues together never take more memory than the sum of their
/// bounds.
class Outbox {
 public:
  struct Bounds {
    std::size_t messages = 0;
    std::size_t bytes = 0;
  };
  /// Queues a message; false if it is over the bounds and was not.
  bool push(Message message, const Bounds& bounds);
  /// The same for a message of the commit that is being matched: it stays at the head until it is
  /// known whether another one of the commit follows, queued or not.
  bool push_of_commit(Message message, const Bounds& bounds);
  /// The commit has been matched: its last message, if it still waits, is marked as the end.
  void end_commit();

  /// The message that may be sent next; null if there is none or the commit holds it.
  const Message* next() const;
  /// Takes out the message that `next` gave.
  Message pop();

  /// Forgets the messages of QoS 0: they do not outlive a connection.
  void keep_acknowledged();
  /// How many messages have been taken out, and how many that will be with all that wait now.
  std::uint64_t popped() const { return popped_; }
  std::uint64_t pushed() const { return popped_ + entries_.size(); }
  /// Where a place that `pushed` gave will be after `keep_acknowledged`.
  std::uint64_t acknowledged_before(std::uint64_t place) const;

  /// None of the messages has a record any more.
  void forget_records();

  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  /// The one that was queued last; there must be one.
  Message& newest() { return entries_.back(); }

  bool empty() const { return entries_.empty(); }
  /// Whether nothing waits but what the commit holds at the head.
  bool drained() const { return entries_.empty() || held_ == popped_; }
  std::size_t bytes() const { return bytes_; }

 private:
  static std::size_t cost(const Message& message) {
    return sizeof(Message) + message.publication->memory();
  }

  Ring<Message> entries_;
  std::size_t bytes_ = 0;
  std::uint64_t popped_ = 0;           // entries_[0] is the popped_-th of all
  std::optional<std::uint64_t> held_;  // the newest queued message of the commit being matched
};

}  // namespace doctor::mqtt
