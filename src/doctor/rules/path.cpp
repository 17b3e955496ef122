#include "doctor/rules/path.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "doctor/json/pointer.hpp"
#include "doctor/json/value.hpp"

namespace doctor::rules {
namespace {

// In the order of the parts of an event's id.
constexpr std::array<std::string_view, events::part_count> part_names = {"receiver", "component",
                                                                         "operation", "unique_id"};

std::optional<std::size_t> part_named(std::string_view name) {
  const auto* const found = std::find(part_names.begin(), part_names.end(), name);
  if (found == part_names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - part_names.begin());
}

std::optional<std::string_view> member(std::string_view object, std::string_view name) {
  const std::string spelling = json::quoted(name);
  for (const json::Member& member : json::Members(object)) {
    if (json::compare_contents(member.name, json::content(spelling)) == 0) return member.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> element(std::string_view array, const std::string& index) {
  const auto wanted = json::array_index({index, index}, std::numeric_limits<std::uint32_t>::max());
  if (!wanted) return std::nullopt;
  std::size_t i = 0;
  for (const std::string_view element : json::Elements(array)) {
    if (i++ == *wanted) return element;
  }
  return std::nullopt;
}

}  // namespace

Result<Template> Template::parse(std::string_view text) {
  if (text.empty()) return invalid("there is no text");
  Template made;
  while (!text.empty()) {
    const std::size_t open = text.find_first_of("{}");
    if (open != 0) made.pieces_.push_back({std::string(text.substr(0, open))});
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find('}', open);
    if (text[open] == '}' || close == std::string_view::npos) {
      return invalid("a brace has no fellow");
    }
    const std::string_view name = text.substr(open + 1, close - open - 1);
    const auto part = part_named(name);
    if (!part) return invalid("there is no {" + std::string(name) + "}");
    made.pieces_.push_back({{}, part});
    text.remove_prefix(close + 1);
  }
  return made;
}

std::optional<std::string> Template::fill(const events::EventId& event) const {
  std::string filled;
  for (const Piece& piece : pieces_) {
    if (!piece.part) {
      filled += piece.text;
      continue;
    }
    const std::string_view part = event.parts[*piece.part];
    if (part.empty()) return std::nullopt;
    filled += part;
  }
  return filled;
}

Result<Path> Path::parse(std::string_view text) {
  Path path;
  for (;;) {
    const std::size_t dot = text.find('.');
    auto step = Template::parse(text.substr(0, dot));
    if (!step) return step.error();
    path.steps_.push_back(std::move(*step));
    if (dot == std::string_view::npos) return path;
    text.remove_prefix(dot + 1);
  }
}

Result<Path> Path::parse_below(std::string_view word, std::string_view text) {
  if (text == word) return Path();
  if (!text.starts_with(word) || text[word.size()] != '.') {
    return invalid("it does not begin with " + std::string(word));
  }
  return parse(text.substr(word.size() + 1));
}

std::optional<std::string_view> Path::find(std::string_view value,
                                           const events::EventId& event) const {
  std::optional<std::string_view> at = value;
  for (const Template& step : steps_) {
    const auto name = step.fill(event);
    if (!name) return std::nullopt;
    switch (json::kind(*at)) {
      case json::Kind::object:
        at = member(*at, *name);
        break;
      case json::Kind::array:
        at = element(*at, *name);
        break;
      default:
        return std::nullopt;
    }
    if (!at) return std::nullopt;
  }
  return at;
}

}  // namespace doctor::rules
