#include "doctor/events/subscription_id.hpp"

#include <algorithm>

namespace doctor::events {

std::optional<EventId> parse_event_id(std::string_view text) {
  EventId id;
  for (std::size_t i = 0; i + 1 < part_count; ++i) {
    const std::size_t bar = text.find('|');
    if (bar == text.npos) return std::nullopt;
    id.parts[i] = text.substr(0, bar);
    text.remove_prefix(bar + 1);
  }
  id.parts.back() = text;
  return id;
}

Result<SubscriptionId> SubscriptionId::parse(std::string_view text) {
  if (std::count(text.begin(), text.end(), '|') != part_count - 1) {
    return invalid("a subscription id is receiver|component|operation|unique id");
  }
  const auto divided = parse_event_id(text);
  SubscriptionId id;
  for (std::size_t i = 0; i < part_count; ++i) {
    const std::string_view part = divided->parts[i];
    if (part.find_first_not_of(" \t\r\n") == part.npos) {
      return invalid("a part of a subscription id is blank");
    }
    if (part != "*" && part.find('*') != part.npos) {
      return invalid("a * in a subscription id stands for a whole part");
    }
    id.parts_[i] = part;
  }
  if (text == "*|*|*|*") return invalid("nobody can subscribe to all events");
  return id;
}

std::string SubscriptionId::text() const {
  return parts_[0] + "|" + parts_[1] + "|" + parts_[2] + "|" + parts_[3];
}

bool SubscriptionId::matches(const EventId& event) const {
  for (std::size_t i = 0; i < part_count; ++i) {
    if (!is_any(i) && event.parts[i] != "*" && parts_[i] != event.parts[i]) return false;
  }
  return true;
}

}  // namespace doctor::events
