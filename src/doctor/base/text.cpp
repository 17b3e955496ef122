#include "doctor/base/text.hpp"

#include <cstring>

namespace doctor {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// One code point at `text[at]` of well-formed or ill-formed UTF-8; its length is 0 if ill-formed.
struct CodePoint {
  std::uint32_t value;
  std::size_t length;
};

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned first = octet(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() - at < length) return {0, 0};
  std::uint32_t value = first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((octet(i) & 0xC0) != 0x80) return {0, 0};
    value = value << 6 | (octet(i) & 0x3Fu);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {0, 0};
  return {value, length};
}

// The first place from `at` on that is not printable ASCII, looked for eight octets at a time: most
// texts are nothing else.
std::size_t skip_printable(std::string_view text, std::size_t at) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  for (; text.size() - at >= 8; at += 8) {
    std::uint64_t octets = 0;
    std::memcpy(&octets, text.data() + at, 8);
    // An octet that is not ASCII has its high bit set, one below 0x20 after the subtraction, 0x7F
    // after the addition. Only such an octet borrows from the next or carries into it.
    if (((octets | (octets - 0x20 * ones) | (octets + ones)) & (0x80 * ones)) != 0) break;
  }
  while (at < text.size() && text[at] >= 0x20 && text[at] < 0x7F) ++at;
  return at;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; (at = skip_printable(text, at)) < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.length == 0) return false;
    at += point.length;
  }
  return true;
}

bool has_control(std::string_view text) {
  for (std::size_t at = 0; (at = skip_printable(text, at)) < text.size();) {
    const auto [value, length] = code_point_at(text, at);
    if (value < 0x20 || (value >= 0x7F && value <= 0x9F)) return true;
    if ((value >= 0xFDD0 && value <= 0xFDEF) || (value & 0xFFFE) == 0xFFFE) return true;
    at += length == 0 ? 1 : length;
  }
  return false;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t octet) { out += static_cast<char>(octet); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%') {
      if (text.size() - at < 3) return std::nullopt;
      const int high = hex_digit(text[at + 1]);
      const int low = hex_digit(text[at + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      at += 2;
    } else {
      decoded += plus_is_blank && text[at] == '+' ? ' ' : text[at];
    }
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += digits[octet >> 4];
      encoded += digits[octet & 15];
    }
  }
  return encoded;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t max) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (digit > max || value > (max - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace doctor
