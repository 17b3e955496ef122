#include "doctor/json/keys.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>
#include <vector>

#include "doctor/json/value.hpp"

namespace doctor::json {
namespace {

// Up to so many keys a bitmap tells most of them apart, and the rest is compared in pairs.
constexpr std::size_t few = 64;

bool same(const Key& a, const Key& b) {
  return a.hash == b.hash && a.name == b.name;
}

const Key* find_in_pairs(std::span<Key> keys) {
  std::array<std::uint64_t, 8> seen{};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::uint64_t& word = seen[keys[i].hash >> 6 & 7];
    const std::uint64_t bit = std::uint64_t{1} << (keys[i].hash & 63);
    if ((word & bit) != 0) {
      for (std::size_t j = 0; j < i; ++j) {
        if (same(keys[i], keys[j])) return &keys[i];
      }
    }
    word |= bit;
  }
  return nullptr;
}

// The first of the sorted keys' equals.
const Key* find_by_sorting(std::span<Key> keys) {
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return std::tie(a.hash, a.name, a.offset) < std::tie(b.hash, b.name, b.offset);
  });
  const Key* first = nullptr;
  for (std::size_t i = 1; i < keys.size(); ++i) {
    if (same(keys[i - 1], keys[i]) && (first == nullptr || keys[i].offset < first->offset)) {
      first = &keys[i];
    }
  }
  return first;
}

// Only keys that share a bit of a large bitmap with another can be repeated; these are sorted.
const Key* find_among_many(std::span<Key> keys) {
  const std::size_t bits = std::bit_ceil(keys.size() * 16);
  std::vector<bool> seen(bits);
  std::vector<bool> shared(bits);
  bool any = false;
  for (const Key& key : keys) {
    const std::size_t bit = key.hash & (bits - 1);
    if (seen[bit]) any = shared[bit] = true;
    seen[bit] = true;
  }
  if (!any) return nullptr;
  const auto end = std::partition(keys.begin(), keys.end(), [&](const Key& key) -> bool {
    return shared[key.hash & (bits - 1)];
  });
  return find_by_sorting({keys.begin(), end});
}

}  // namespace

std::uint32_t spelling_hash(std::string_view spelling) {
  if (spelling.find('\\') == std::string_view::npos) return name_hash(spelling);
  return name_hash(unescape(spelling));
}

const Key* find_repeated(std::span<Key> keys) {
  return keys.size() <= few ? find_in_pairs(keys) : find_among_many(keys);
}

}  // namespace doctor::json
