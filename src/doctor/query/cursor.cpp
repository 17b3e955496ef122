#include "doctor/query/cursor.hpp"

#include <limits>

#include "doctor/base/text.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"
#include "doctor/query/place.hpp"

namespace doctor::query {
namespace {

// The number counts all documents that were ever created in the collection, also those that the
// reader may not know of: the length of a cursor must not tell how large it is.
std::string fixed_width(document::DocumentNumber number) {
  const std::string digits = std::to_string(number.value);
  return std::string(std::numeric_limits<std::uint64_t>::digits10 + 1 - digits.size(), '0') +
         digits;
}

}  // namespace

std::string position_text(const Plan& plan, const Entry& entry, References& references) {
  std::string text = "[" + std::to_string(plan.fingerprint);
  text += ",\"" + fixed_width(entry.number) + '"';
  for (const Order& order : plan.list.orders) {
    const std::string_view value = value_of(order, entry.document, references).value_or("null");
    text += ',';
    // Whatever is neither null, boolean, number nor string ties with the rest of its kind.
    const bool scalar = value.front() != '[' && value.front() != '{';
    text += scalar ? value : "[]";
  }
  return text += ']';
}

Result<Position> parse_position(std::string_view text, const Plan& plan) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  const auto failure = [] {
    return wrong(Place("after"),
                 "this cursor belongs to another query; send it with the query of "
                 "the page that it came with");
  };
  std::vector<std::string_view> parts;
  const auto compact = json::compact(text, 2);
  if (!compact || *compact != text || !text.starts_with('[')) return failure();
  for (const std::string_view part : json::Elements(text)) parts.push_back(part);
  if (parts.size() != 2 + plan.list.orders.size() || !json::is_string(parts[1])) return failure();
  const auto fingerprint = parse_unsigned(parts[0], most);
  const auto number = parse_unsigned(json::content(parts[1]), most);
  if (!number || fingerprint != plan.fingerprint) return failure();
  Position position{document::DocumentNumber(*number), {}};
  for (std::size_t i = 2; i < parts.size(); ++i) position.keys.emplace_back(parts[i]);
  return position;
}

std::size_t longest_position(std::size_t cursor_size) {
  constexpr std::size_t sealing = 12 + 16;
  const std::size_t sealed = cursor_size / 4 * 3;
  return sealed < sealing ? 0 : sealed - sealing;
}

}  // namespace doctor::query
