#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "doctor/base/strong.hpp"
#include "doctor/events/subscription_id.hpp"

namespace doctor::events {

using Holder = Strong<struct HolderTag, std::uint64_t>;

/// Who holds which subscription id, found by event. An id is filed under which of its parts are not
/// `*`, and those parts: so an event is looked up at most 15 times, whatever the number of holders.
/// An event that has a `*` itself, as the notice of a lost connection does, is held against all.
class SubscriptionIndex {
 public:
  /// Any number of holders may have the same id.
  Holder add(SubscriptionId id);
  /// Takes out this one and no other; one that is not there is no error.
  void remove(Holder holder);
  /// Calls `visit` once for each whose id matches, in no order; it must neither add nor remove any.
  void match(const EventId& event, const std::function<void(Holder)>& visit) const;
  std::size_t size() const { return by_holder_.size(); }

 private:
  struct Entry {
    Holder holder;
    SubscriptionId id;
  };
  using Mask = unsigned;  // a bit for each part that is not `*`
  static constexpr std::size_t mask_count = 1u << part_count;
  using Hashes = std::array<std::uint64_t, part_count>;  // of the parts
  static std::uint64_t key_of(Mask mask, const Hashes& hashes);
  static Mask mask_of(const SubscriptionId& id);

  std::unordered_map<std::uint64_t, std::vector<Entry>> by_key_;
  std::unordered_map<Holder, std::uint64_t> by_holder_;  // its key
  std::array<std::size_t, mask_count> used_{};           // how many ids have this mask
  std::uint64_t last_ = 0;
};

}  // namespace doctor::events
