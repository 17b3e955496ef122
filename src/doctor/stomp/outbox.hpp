#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "doctor/stomp/publication.hpp"
#include "doctor/stomp/subscription.hpp"

namespace doctor::stomp {

/// What waits to be written to one connection, in order: messages as shared values, and other
/// frames as octets. Counts a shared message in full, so that all outboxes together never take more
/// memory than the sum of their bounds.
class Outbox {
 public:
  struct Bounds {
    std::size_t frames = 0;
    std::size_t bytes = 0;
  };

  struct Entry {
    std::string frame;             ///< octets; empty: it is a message
    SubscriptionPtr subscription;  ///< that the message is for
    PublicationPtr publication;
    std::uint64_t number = 0;     ///< of the message
    bool may_be_dropped = false;  ///< by `drop_oldest`

    std::size_t cost() const {
      return sizeof(Entry) + frame.size() + (publication ? publication->memory() : 0);
    }
  };

  /// Where nothing waits there is room for anything: one frame is never too large by itself.
  bool fits(const Entry& entry, const Bounds& bounds) const {
    return size_ == 0 || (size_ < bounds.frames && bytes_ + entry.cost() <= bounds.bytes);
  }
  void push(Entry entry);
  /// Takes out the next one, or nothing if there is none.
  std::optional<Entry> pop();
  /// Takes out the oldest one that may be dropped, or nothing if there is none.
  std::optional<Entry> drop_oldest();
  /// Takes out all messages; other frames stay.
  void clear_messages();

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }

 private:
  static bool is_gone(const Entry& entry) { return entry.frame.empty() && !entry.publication; }
  Entry take(Entry& entry);
  void compact();

  std::deque<Entry> entries_;            // with the remains of those that were dropped
  std::deque<std::uint64_t> droppable_;  // places of entries, some of them popped by now
  std::uint64_t popped_ = 0;             // the place of entries_[0]
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace doctor::stomp
