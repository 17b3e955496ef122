#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace doctor::document::layout {

// The bytes of a stored document (docs/formats/document.md):
//   revision:le64  field_count:le32  id_field:le32
//   field_count times: name_offset:le32  name_length:le16  name_hash:le16
//   text
static_assert(std::endian::native == std::endian::little, "stored integers are little-endian");

inline constexpr std::size_t revision_at = 0;
inline constexpr std::size_t field_count_at = 8;
inline constexpr std::size_t id_field_at = 12;
inline constexpr std::size_t header_size = 16;

/// What is looked for when a field is: length and hash of its name in one word.
inline std::uint32_t name_tag(std::size_t length, std::uint16_t hash) {
  return static_cast<std::uint32_t>(length) | std::uint32_t{hash} << 16;
}

struct Entry {
  std::uint32_t name_offset;  ///< in the text, of the name's first byte behind the quote
  std::uint32_t tag;

  std::size_t name_length() const { return tag & 0xFFFF; }
};
static_assert(sizeof(Entry) == 8);

/// Stored bytes have no alignment.
template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
void store(char* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

}  // namespace doctor::document::layout
