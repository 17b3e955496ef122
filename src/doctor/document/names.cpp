#include "doctor/document/names.hpp"

#include <algorithm>
#include <array>

#include "doctor/base/text.hpp"
#include "doctor/json/keys.hpp"
#include "doctor/json/value.hpp"

namespace doctor::document {
namespace {

constexpr std::size_t max_collection_name = 64;
constexpr std::size_t max_id = 255;
constexpr std::size_t max_field_name = 255;

// Objects rather than functions, so that all_of does not call them through a pointer: each request
// has an id that they judge.
constexpr auto is_collection_letter = [](char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
};
constexpr auto is_visible_ascii = [](char c) { return c > ' ' && c < 0x7F; };

// As much of a name as an error repeats.
std::string shortened(std::string_view name) {
  std::size_t size = std::min(name.size(), max_field_name);
  while (size < name.size() && size > 0 &&
         (static_cast<unsigned char>(name[size]) & 0xC0) == 0x80) {
    --size;
  }
  return std::string(name.substr(0, size));
}

Error bad_field(std::string_view name, std::string detail) {
  Error failure = invalid(std::move(detail));
  failure.field = shortened(name);
  return failure;
}

// Whether an octet may stand anywhere in a field's name, whatever is around it.
constexpr std::array<bool, 256> plain_octets = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = ' '; c < 0x7F; ++c) plain[c] = c != '.' && c != '@';
  return plain;
}();

bool is_plain_field_name(std::string_view name) {
  if (name.empty() || name.size() > max_field_name) return false;
  if (name.front() == '_' || name.front() == '$') return false;
  bool plain = true;
  for (const char c : name) plain &= plain_octets[static_cast<unsigned char>(c)];
  return plain;
}

}  // namespace

bool is_collection_name(std::string_view name) {
  return !name.empty() && name.size() <= max_collection_name &&
         std::all_of(name.begin(), name.end(), is_collection_letter);
}

bool is_document_id(std::string_view id) {
  if (id.empty() || id.size() > max_id) return false;
  if (std::all_of(id.begin(), id.end(), is_visible_ascii)) return true;
  return is_utf8(id) && !has_control(id);
}

bool is_session_id(std::string_view id) {
  return !id.empty() && id.size() <= max_id && std::all_of(id.begin(), id.end(), is_visible_ascii);
}

Result<void> check_field_name(std::string_view name) {
  if (is_plain_field_name(name)) return {};
  if (name.empty()) return bad_field(name, "a field name must not be empty");
  if (name.size() > max_field_name) {
    return bad_field(
        name, "a field name has at most 255 bytes; this one has " + std::to_string(name.size()));
  }
  if (name.front() == '_' || name.front() == '$') {
    return bad_field(name, std::string("a field name must not begin with '") + name.front() + "'");
  }
  for (const char c : name) {
    if (c == '.' || c == '@') {
      return bad_field(name, std::string("a field name must not contain '") + c + "'");
    }
  }
  if (has_control(name)) {
    return bad_field(name, "a field name must not contain control characters");
  }
  return {};
}

FieldName::FieldName(std::string_view name) : name_(name), spelling_(json::quoted(name)) {
  spelling_.pop_back();
  spelling_.erase(0, 1);
  hash_ = field_hash(spelling_);
}

std::uint16_t field_hash(std::string_view spelling) {
  return static_cast<std::uint16_t>(json::name_hash(spelling));
}

}  // namespace doctor::document
