#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace doctor::json {

/// A key of an object, unescaped, and where it was found.
struct Key {
  std::string_view name;
  std::size_t offset;
  std::uint32_t hash;

  Key(std::string_view unescaped, std::size_t found_at);
};

/// The first key, by offset, that stands in `keys` a second time; null if there is none. May sort
/// them. Time does not depend on how the names were chosen: n log n comparisons at most.
const Key* find_repeated(std::span<Key> keys);

}  // namespace doctor::json
