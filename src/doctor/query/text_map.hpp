#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "doctor/base/crypto.hpp"

namespace doctor::query {

/// A hash map from text to small values. It keeps the text as it was given: those bytes (slices of
/// a view's documents) must outlive it. Costs no memory while it is empty.
template <class T>
class TextMap {
 public:
  /// The value of `key`, or null; valid until the next insertion.
  T* find(std::string_view key) {
    if (slots_.empty()) return nullptr;
    Slot& slot = slots_[place(key, hash64(key))];
    return slot.key.data() == nullptr ? nullptr : &slot.value;
  }

  /// Adds a key that is not there yet.
  T& insert(std::string_view key, T value) {
    if ((size_ + 1) * 8 > slots_.size() * 5) grow();
    if (key.data() == nullptr) key = "";
    Slot& slot = slots_[place(key, hash64(key))];
    slot.key = key;
    slot.value = std::move(value);
    ++size_;
    return slot.value;
  }

 private:
  struct Slot {
    std::string_view key;  // null: empty
    T value;
  };

  // Where the key is, or the empty place where it would be.
  std::size_t place(std::string_view key, std::uint64_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at].key.data() != nullptr && slots_[at].key != key) at = (at + 1) & mask;
    return at;
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.key.data() != nullptr) slots_[place(slot.key, hash64(slot.key))] = std::move(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two, at most 5/8 full
  std::size_t size_ = 0;
};

}  // namespace doctor::query
