#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "doctor/stomp/bound.hpp"
#include "doctor/stomp/publication.hpp"
#include "doctor/stomp/subscription.hpp"

namespace doctor::stomp {

/// What the outboxes of all connections take together. A message that waits in several of them
/// counts once, and in each only with its place.
class Outboxes {
 public:
  std::size_t bytes() const { return bytes_; }

 private:
  friend class Outbox;
  std::size_t bytes_ = 0;
};

/// What waits to be written to one connection, in order: messages as shared values, and other
/// frames as octets.
///
/// Its own bytes count a shared message in full, since its client alone may be the reason why it is
/// kept. What all of them take together is bounded by `Bounds::all`, of which no outbox may take
/// more than an eighth of what is left: when many clients do not read, each has less, and whoever
/// reads has room still.
class Outbox {
 public:
  struct Bounds {
    std::size_t frames = 0;
    std::size_t bytes = 0;
    std::size_t all = 0;  ///< bytes of all outboxes
  };

  struct Entry {
    std::string frame;             ///< octets; empty: it is a message
    SubscriptionPtr subscription;  ///< that the message is for
    PublicationPtr publication;
    std::uint64_t number = 0;     ///< of the message
    bool may_be_dropped = false;  ///< by `drop_oldest`

    /// With what it counts by itself: as if nobody else kept its message.
    std::size_t cost() const {
      return sizeof(Entry) + frame.size() + (publication ? publication->memory() : 0);
    }
  };

  /// @param all  outlives it
  explicit Outbox(Outboxes& all) : all_(all) {}
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// The bound that the entry would pass. Where nothing waits there is room for any message that
  /// all outboxes together have room for, and for any other frame.
  Bound passed_by(const Entry& entry, const Bounds& bounds) const;
  /// Whether all outboxes together have room for it.
  bool all_have_room(const Entry& entry, const Bounds& bounds) const;
  /// Whether there could be room for the entry if others were dropped from here.
  bool may_hold(const Entry& entry, const Bounds& bounds) const;
  /// Whether it takes at most half of what it may.
  bool is_half_empty(const Bounds& bounds) const;

  void push(Entry entry);
  /// Goes on to the next entry, which is then being written: it no longer counts here, but with all
  /// outboxes until it is `written`. Null if there is none. None may be being written.
  Entry* next();
  /// The one that is being written, or null.
  Entry* current() { return current_ ? &*current_ : nullptr; }
  void written();
  /// Takes out the oldest one that may be dropped, or nothing if there is none.
  std::optional<Entry> drop_oldest();
  /// Takes out all messages but the one that is being written; other frames stay.
  void clear_messages();

  /// What follows says nothing of the one that is being written.
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }

 private:
  static bool is_gone(const Entry& entry) { return entry.frame.empty() && !entry.publication; }
  std::size_t room(const Bounds& bounds) const {
    return bounds.all - std::min(bounds.all, all_.bytes_);
  }
  Entry take(Entry& entry);
  void forget(const Entry& entry);
  void compact();

  Outboxes& all_;
  std::optional<Entry> current_;
  std::deque<Entry> entries_;            // with the remains of those that were dropped
  std::deque<std::uint64_t> droppable_;  // places of entries, some of them taken by now
  std::uint64_t popped_ = 0;             // the place of entries_[0]
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace doctor::stomp
