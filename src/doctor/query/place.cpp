#include "doctor/query/place.hpp"

#include <algorithm>
#include <vector>

#include "doctor/json/value.hpp"

namespace doctor::query {
namespace {

constexpr std::size_t longest_place = 400;
constexpr std::size_t longest_shown = 80;

// The first octets of a text, without half a character at the end.
std::string beginning(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return std::string(text.substr(0, most)) + "...";
}

}  // namespace

std::string Place::text() const {
  std::vector<const Place*> way;
  for (const Place* at = this; at != nullptr; at = at->parent_) way.push_back(at);
  std::reverse(way.begin(), way.end());
  std::string text;
  for (const Place* at : way) {
    if (at->is_index_) {
      text += '[' + std::to_string(at->index_) + ']';
    } else {
      if (!text.empty()) text += '.';
      text += beginning(at->key_, longest_shown);
    }
    if (text.size() > longest_place) return text + "...";
  }
  return text;
}

Error wrong(const Place& place, std::string detail) {
  Error failure = invalid(std::move(detail));
  failure.field = place.text();
  return failure;
}

std::string shown(std::string_view text) {
  return '`' + beginning(text, longest_shown) + '`';
}

std::string_view kind_name(std::string_view value) {
  switch (json::kind(value)) {
    case json::Kind::null:
      return "null";
    case json::Kind::boolean:
      return "a boolean";
    case json::Kind::number:
      return "a number";
    case json::Kind::string:
      return "a string";
    case json::Kind::array:
      return "an array";
    default:
      return "an object";
  }
}

}  // namespace doctor::query
