#include "doctor/json/keys.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

namespace doctor::json {
namespace {

// Up to so many keys a bitmap tells most of them apart, and the rest is compared in pairs.
constexpr std::size_t few = 64;

// Both ends of the name and its length. Names that agree in these cost a comparison, no more.
std::uint32_t hash_of(std::string_view name) {
  std::uint64_t head = 0;
  std::uint64_t tail = 0;
  if (name.size() >= 8) {
    std::memcpy(&head, name.data(), 8);
    std::memcpy(&tail, name.data() + name.size() - 8, 8);
  } else if (name.size() >= 4) {
    std::memcpy(&head, name.data(), 4);
    std::memcpy(&tail, name.data() + name.size() - 4, 4);
  } else {
    for (const char c : name) head = head << 8 | static_cast<unsigned char>(c);
  }
  const std::uint64_t mixed =
      (head ^ name.size()) * 0x9E3779B97F4A7C15u ^ tail * 0xC2B2AE3D27D4EB4Fu;
  return static_cast<std::uint32_t>((mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9u >> 32);
}

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

}  // namespace

Key::Key(std::string_view unescaped, std::size_t found_at)
    : name(unescaped), offset(found_at), hash(hash_of(unescaped)) {}

const Key* find_repeated(std::span<Key> keys) {
  if (keys.size() <= few) return find_in_pairs(keys);
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

}  // namespace doctor::json
