#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace doctor::json {

/// A step of a JSON Pointer (RFC 6901): the name of a member or the index of an element, as the
/// value that it meets has it.
struct Token {
  std::string name;      ///< unescaped
  std::string spelling;  ///< as a string's content (append_string)

  friend bool operator==(const Token& a, const Token& b) { return a.name == b.name; }
};
using Pointer = std::vector<Token>;

/// Nothing if `text`, which is unescaped, is not a pointer.
std::optional<Pointer> parse_pointer(std::string_view text);

/// The index that a token spells (RFC 6901 §4: digits without leading zeros); nothing if it is none
/// or more than `max`.
std::optional<std::size_t> array_index(const Token& token, std::size_t max);

}  // namespace doctor::json
