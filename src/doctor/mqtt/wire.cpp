#include "doctor/mqtt/wire.hpp"

#include "doctor/base/text.hpp"

namespace doctor::mqtt {

void Reader::fail(Reason reason, std::string_view detail) {
  if (!failure_) failure_ = Refusal{reason, detail};
  rest_ = {};
}

std::string_view Reader::take(std::size_t count) {
  if (count > rest_.size()) {
    fail(Reason::malformed_packet, "the packet ends within a field");
    return {};
  }
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::string_view Reader::take_rest() {
  return take(rest_.size());
}

std::uint8_t Reader::byte() {
  const std::string_view taken = take(1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
}

std::uint16_t Reader::two_bytes() {
  const unsigned high = byte();
  return static_cast<std::uint16_t>(high << 8 | byte());
}

std::uint32_t Reader::four_bytes() {
  const std::uint32_t high = two_bytes();
  return high << 16 | two_bytes();
}

std::uint64_t Reader::eight_bytes() {
  const std::uint64_t high = four_bytes();
  return high << 32 | four_bytes();
}

std::uint32_t Reader::variable() {
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    const std::uint8_t octet = byte();
    value |= static_cast<std::uint32_t>(octet & 0x7F) << shift;
    if ((octet & 0x80) == 0) {
      // A last byte of zero adds nothing: the shorter form is the only right one [MQTT-1.5.5-1].
      if (octet == 0 && shift > 0) break;
      return value;
    }
  }
  fail(Reason::malformed_packet, "a variable byte integer is not minimal or too long");
  return 0;
}

std::string_view Reader::binary() {
  return take(two_bytes());
}

std::string_view Reader::text() {
  const std::string_view value = binary();
  if (!is_utf8(value) || has_control(value)) {
    fail(Reason::malformed_packet, "a text is not UTF-8 or has control characters");
    return {};
  }
  return value;
}

void append_byte(std::string& out, std::uint8_t value) {
  out += static_cast<char>(value);
}

void append_two_bytes(std::string& out, std::uint16_t value) {
  append_byte(out, static_cast<std::uint8_t>(value >> 8));
  append_byte(out, static_cast<std::uint8_t>(value & 0xFF));
}

void append_four_bytes(std::string& out, std::uint32_t value) {
  append_two_bytes(out, static_cast<std::uint16_t>(value >> 16));
  append_two_bytes(out, static_cast<std::uint16_t>(value & 0xFFFF));
}

void append_eight_bytes(std::string& out, std::uint64_t value) {
  append_four_bytes(out, static_cast<std::uint32_t>(value >> 32));
  append_four_bytes(out, static_cast<std::uint32_t>(value));
}

void append_variable(std::string& out, std::uint32_t value) {
  for (; value >= 0x80; value >>= 7) append_byte(out, static_cast<std::uint8_t>(value | 0x80));
  append_byte(out, static_cast<std::uint8_t>(value));
}

void append_binary(std::string& out, std::string_view bytes) {
  append_two_bytes(out, static_cast<std::uint16_t>(bytes.size()));
  out += bytes;
}

}  // namespace doctor::mqtt
