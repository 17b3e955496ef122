#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"

namespace doctor::events {

/// receiver, component, operation, unique id.
inline constexpr std::size_t part_count = 4;

/// Which event this is: `receiver|component|operation|unique id`. Views of what was parsed.
struct EventId {
  std::array<std::string_view, part_count> parts;
};

/// Divides at the first three bars; whatever follows is the unique id. Parts may be empty, as the
/// receiver is on the wire. Nothing if there are fewer bars.
std::optional<EventId> parse_event_id(std::string_view text);

/// What a subscriber asks for: for each part its text, or `*` for any.
class SubscriptionId {
 public:
  /// Errc::invalid, saying why, unless there are exactly three bars, no part is blank, a `*` is
  /// always a whole part, and not all parts are `*`. Blanks around a part belong to it.
  static Result<SubscriptionId> parse(std::string_view text);

  const std::string& part(std::size_t i) const { return parts_[i]; }
  bool is_any(std::size_t i) const { return parts_[i] == "*"; }
  std::string text() const;

  /// Each part is `*` on either side, or the same on both.
  bool matches(const EventId& event) const;

 private:
  std::array<std::string, part_count> parts_;
};

}  // namespace doctor::events
