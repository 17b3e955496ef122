#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/mqtt/reason.hpp"

namespace doctor::mqtt {

/// The largest value of a variable byte integer (§1.5.5): four bytes of seven bits.
inline constexpr std::uint32_t variable_max = 268'435'455;

/// Reads the data types of §1.5 off the front of a packet's body. The first thing that is wrong is
/// kept as the failure, and what is read from then on is empty: so a decoder reads all its fields
/// and asks once at the end. What it gives are views of the body.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte();
  std::uint16_t two_bytes();
  std::uint32_t four_bytes();
  std::uint64_t eight_bytes();  ///< none of the standard's types: for our own records
  std::uint32_t variable();
  /// A length of two bytes, and so many octets (§1.5.6).
  std::string_view binary();
  /// The same in UTF-8 (§1.5.4), without the control characters and non-characters that §1.5.4
  /// allows a receiver to refuse.
  std::string_view text();
  std::string_view take(std::size_t count);
  std::string_view take_rest();

  bool at_end() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

  void fail(Reason reason, std::string_view detail);
  bool failed() const { return failure_.has_value(); }
  const std::optional<Refusal>& failure() const { return failure_; }

 private:
  std::string_view rest_;
  std::optional<Refusal> failure_;
};

void append_byte(std::string& out, std::uint8_t value);
void append_two_bytes(std::string& out, std::uint16_t value);
void append_four_bytes(std::string& out, std::uint32_t value);
void append_eight_bytes(std::string& out, std::uint64_t value);
/// @param value  at most `variable_max`
void append_variable(std::string& out, std::uint32_t value);
/// Length and octets, for binary data and text. @param bytes  at most 65 535
void append_binary(std::string& out, std::string_view bytes);

/// How many bytes a variable byte integer takes.
constexpr std::size_t variable_size(std::uint32_t value) {
  return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

}  // namespace doctor::mqtt
