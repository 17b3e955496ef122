#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace doctor::json {

/// A hash for telling short names apart: of both ends of the name and its length. Stored documents
/// hold it (docs/formats/document.md), so it stays as it is.
inline std::uint32_t name_hash(std::string_view name) {
  std::uint64_t head = 0;
  std::uint64_t tail = 0;
  if (name.size() >= 8) {
    std::memcpy(&head, name.data(), 8);
    std::memcpy(&tail, name.data() + name.size() - 8, 8);
  } else if (name.size() >= 4) {
    std::memcpy(&head, name.data(), 4);
    std::memcpy(&tail, name.data() + name.size() - 4, 4);
  } else if (!name.empty()) {
    const auto octet = [name](std::size_t at) -> std::uint64_t {
      return static_cast<unsigned char>(name[at]);
    };
    head = octet(0) | octet(name.size() / 2) << 8 | octet(name.size() - 1) << 16;
  }
  const std::uint64_t mixed =
      (head ^ name.size()) * 0x9E3779B97F4A7C15u ^ tail * 0xC2B2AE3D27D4EB4Fu;
  return static_cast<std::uint32_t>((mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9u >> 32);
}

/// A key of an object, unescaped, and where it was found.
struct Key {
  std::string_view name;
  std::size_t offset;
  std::uint32_t hash;

  Key(std::string_view unescaped, std::size_t found_at)
      : name(unescaped), offset(found_at), hash(name_hash(unescaped)) {}
};

/// The first key, by offset, that stands in `keys` a second time; null if there is none. May
/// reorder them. Time does not depend on how the names were chosen: n log n comparisons at most.
const Key* find_repeated(std::span<Key> keys);

/// The hash of a name that is spelt so between quotes.
std::uint32_t spelling_hash(std::string_view spelling);

}  // namespace doctor::json
