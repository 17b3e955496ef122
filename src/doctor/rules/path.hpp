#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/events/subscription_id.hpp"

namespace doctor::rules {

/// Text in which `{receiver}`, `{component}`, `{operation}` and `{unique_id}` stand for the parts
/// of an event's id. Every other octet stands for itself; a brace cannot.
class Template {
 public:
  /// Errc::invalid, saying why: no text, a brace without its fellow, another name between them.
  static Result<Template> parse(std::string_view text);

  /// Nothing if a part that it speaks of is empty.
  std::optional<std::string> fill(const events::EventId& event) const;

 private:
  struct Piece {
    std::string text;
    std::optional<std::size_t> part{};  ///< of the event's id, instead of the text
  };
  std::vector<Piece> pieces_;
};

/// Where in a JSON value another one stands: names of members and indexes of elements, divided by
/// dots. Each is a Template; a dot in what fills it divides nothing.
class Path {
 public:
  /// The value itself.
  Path() = default;
  /// `a.{unique_id}.0`. Errc::invalid as for a Template; no step is empty.
  static Result<Path> parse(std::string_view text);
  /// The same below a word that must come first: `params` alone is the value itself.
  static Result<Path> parse_below(std::string_view word, std::string_view text);

  /// The value there, a slice of `value`, which is compact JSON that was checked; nothing if there
  /// is none.
  std::optional<std::string_view> find(std::string_view value, const events::EventId& event) const;

 private:
  std::vector<Template> steps_;
};

}  // namespace doctor::rules
