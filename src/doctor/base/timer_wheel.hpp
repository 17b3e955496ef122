#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "doctor/base/time.hpp"

namespace doctor {

/// Keys, each with a time at which it is to come back: a hashed timer wheel. Adding a key and
/// giving it back take the same time however many others wait; what is not due costs nothing but,
/// for a key that is due in the far future, a look each time the wheel has turned.
///
/// Nothing can be taken out. Whoever gets a key back decides whether it still means something; so
/// one whose time has been put off is best left where it is, and added again when it comes.
template <class Key>
class TimerWheel {
 public:
  /// Keys come back at the end of their slot: up to this much late, never early.
  static constexpr Clock::duration slot = std::chrono::milliseconds(100);

  void add(Key key, Clock::time_point due) {
    const std::int64_t last = turned_ + slots - 1;
    const std::int64_t number = std::clamp(slot_ending_at_or_after(due), turned_ + 1, last);
    entries_[index(number)].push_back({std::move(key), due});
  }

  /// Calls `act(key, due)` for all whose slots have ended by `now`. It may add keys, which come
  /// back in a later call, or in this one if that is long after the last.
  template <class Act>
  void advance(Clock::time_point now, Act act) {
    const std::int64_t end = now.time_since_epoch() / slot;
    turned_ = std::max(turned_, end - slots);
    while (turned_ < end) {
      ++turned_;
      std::vector<Entry>& entries = entries_[index(turned_)];
      if (entries.empty()) continue;
      due_.swap(entries);
      for (Entry& entry : due_) {
        if (entry.due > now) {
          add(std::move(entry.key), entry.due);
        } else {
          act(entry.key, entry.due);
        }
      }
      due_.clear();
      if (due_.capacity() > capacity_kept) std::vector<Entry>().swap(due_);
    }
  }

 private:
  struct Entry {
    Key key;
    Clock::time_point due;
  };

  static constexpr std::int64_t slots = 512;
  static constexpr std::size_t capacity_kept = 1024;

  static std::int64_t slot_ending_at_or_after(Clock::time_point time) {
    const std::int64_t number = time.time_since_epoch() / slot;
    return number * slot < time.time_since_epoch() ? number + 1 : number;
  }
  static std::size_t index(std::int64_t number) { return static_cast<std::size_t>(number % slots); }

  std::vector<std::vector<Entry>> entries_ = std::vector<std::vector<Entry>>(slots);
  std::vector<Entry> due_;   // of the slot that is being given back
  std::int64_t turned_ = 0;  // the number of the last slot that was, counted from the clock's epoch
};

}  // namespace doctor
