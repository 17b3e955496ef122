#include "doctor/events/subscription_index.hpp"

#include <algorithm>
#include <utility>

#include "doctor/base/crypto.hpp"

namespace doctor::events {

SubscriptionIndex::Mask SubscriptionIndex::mask_of(const SubscriptionId& id) {
  Mask mask = 0;
  for (std::size_t i = 0; i < part_count; ++i) {
    if (!id.is_any(i)) mask |= 1u << i;
  }
  return mask;
}

std::uint64_t SubscriptionIndex::key_of(Mask mask, const Hashes& hashes) {
  constexpr std::uint64_t odd = 0x9E37'79B9'7F4A'7C15;
  std::uint64_t key = mask;
  for (std::size_t i = 0; i < part_count; ++i) {
    if ((mask >> i & 1) == 0) continue;
    key = (key ^ hashes[i]) * odd;
    key ^= key >> 32;
  }
  return key;
}

Holder SubscriptionIndex::add(SubscriptionId id) {
  Hashes hashes;
  for (std::size_t i = 0; i < part_count; ++i) hashes[i] = hash64(id.part(i));
  const Mask mask = mask_of(id);
  const std::uint64_t key = key_of(mask, hashes);
  const Holder holder(++last_);
  ++used_[mask];
  by_key_[key].push_back({holder, std::move(id)});
  by_holder_.emplace(holder, key);
  return holder;
}

void SubscriptionIndex::remove(Holder holder) {
  const auto found = by_holder_.find(holder);
  if (found == by_holder_.end()) return;
  const auto bucket = by_key_.find(found->second);
  by_holder_.erase(found);
  auto& entries = bucket->second;
  const auto entry = std::lower_bound(
      entries.begin(), entries.end(), holder,
      [](const Entry& other, const Holder& wanted) { return other.holder < wanted; });
  --used_[mask_of(entry->id)];
  entries.erase(entry);
  if (entries.empty()) by_key_.erase(bucket);
}

void SubscriptionIndex::match(const EventId& event,
                              const std::function<void(Holder)>& visit) const {
  if (std::find(event.parts.begin(), event.parts.end(), "*") != event.parts.end()) {
    for (const auto& [key, entries] : by_key_) {
      for (const Entry& entry : entries) {
        if (entry.id.matches(event)) visit(entry.holder);
      }
    }
    return;
  }
  Hashes hashes;
  for (std::size_t i = 0; i < part_count; ++i) hashes[i] = hash64(event.parts[i]);
  for (Mask mask = 1; mask < mask_count; ++mask) {
    if (used_[mask] == 0) continue;
    const auto found = by_key_.find(key_of(mask, hashes));
    if (found == by_key_.end()) continue;
    for (const Entry& entry : found->second) {
      // Two keys may be the same by chance, also those of different masks.
      if (mask_of(entry.id) == mask && entry.id.matches(event)) visit(entry.holder);
    }
  }
}

}  // namespace doctor::events
