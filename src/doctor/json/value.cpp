#include "doctor/json/value.hpp"

#include <cstring>

#include "doctor/base/text.hpp"
#include "doctor/json/octets.hpp"

namespace doctor::json {
namespace {

const char* end_of(std::string_view text) {
  return text.data() + text.size();
}

// Behind the string whose content begins at `at`.
const char* behind_string(const char* at, const char* end) {
  for (;;) {
    at = find_special(at, end);
    if (*at == '"') return at + 1;
    at += 2;
  }
}

// Behind the object or array that begins at `at`.
const char* behind_nested(const char* at, const char* end) {
  int open = 0;
  for (;;) {
    at = find_structure(at, end);
    const char c = *at++;
    if (c == '"') {
      at = behind_string(at, end);
    } else if (c == '{' || c == '[') {
      ++open;
    } else if (--open == 0) {
      return at;
    }
  }
}

std::uint32_t hex_unit(const char* at) {
  std::uint32_t unit = 0;
  for (int i = 0; i < 4; ++i) {
    const auto c = static_cast<std::uint32_t>(static_cast<unsigned char>(at[i]));
    unit = unit << 4 | ((c & 15) + (c >= 'A' ? 9 : 0));
  }
  return unit;
}

// Appends what the escape at `at` stands for, and returns the place behind it.
const char* unescape_one(std::string& out, const char* at) {
  switch (at[1]) {
    case 'b':
      out += '\b';
      return at + 2;
    case 'f':
      out += '\f';
      return at + 2;
    case 'n':
      out += '\n';
      return at + 2;
    case 'r':
      out += '\r';
      return at + 2;
    case 't':
      out += '\t';
      return at + 2;
    case 'u':
      break;
    default:
      out += at[1];
      return at + 2;
  }
  const std::uint32_t unit = hex_unit(at + 2);
  if (unit < 0xD800 || unit > 0xDBFF) {
    append_utf8(out, unit);
    return at + 6;
  }
  append_utf8(out, 0x10000 + ((unit - 0xD800) << 10) + (hex_unit(at + 8) - 0xDC00));
  return at + 12;
}

}  // namespace

Kind kind(std::string_view value) {
  switch (value.front()) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::string;
    case 't':
    case 'f':
      return Kind::boolean;
    case 'n':
      return Kind::null;
    default:
      return Kind::number;
  }
}

std::size_t value_length(std::string_view text) {
  const char* begin = text.data();
  const char* end = end_of(text);
  switch (*begin) {
    case '"':
      return static_cast<std::size_t>(behind_string(begin + 1, end) - begin);
    case '{':
    case '[':
      return static_cast<std::size_t>(behind_nested(begin, end) - begin);
    case 't':
    case 'n':
      return 4;
    case 'f':
      return 5;
    default:
      break;
  }
  const char* at = begin;
  while (at != end && *at != ',' && *at != '}' && *at != ']') ++at;
  return static_cast<std::size_t>(at - begin);
}

std::string unescape(std::string_view content) {
  std::string out;
  out.reserve(content.size());
  const char* at = content.data();
  const char* end = end_of(content);
  while (at != end) {
    const auto left = static_cast<std::size_t>(end - at);
    const auto* escape = static_cast<const char*>(std::memchr(at, '\\', left));
    if (escape == nullptr) {
      out.append(at, left);
      break;
    }
    out.append(at, static_cast<std::size_t>(escape - at));
    at = unescape_one(out, escape);
  }
  return out;
}

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  const char* at = text.data();
  const char* end = end_of(text);
  for (;;) {
    const char* special = find_special(at, end);
    out.append(at, static_cast<std::size_t>(special - at));
    if (special == end) break;
    out += '\\';
    switch (const char c = *special) {
      case '\b':
        out += 'b';
        break;
      case '\f':
        out += 'f';
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      case '"':
      case '\\':
        out += c;
        break;
      default:
        out += "u00";
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    at = special + 1;
  }
  out += '"';
}

std::string quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_string(out, text);
  return out;
}

}  // namespace doctor::json
