#include "doctor/mqtt/warnings.hpp"

#include <chrono>

namespace doctor::mqtt {

void Warnings::warn(Kind kind, std::string_view text, Clock::time_point now) {
  if (!due(kind, now)) return;
  last_[static_cast<std::size_t>(kind)] = now;
  log_(text);
}

bool Warnings::due(Kind kind, Clock::time_point now) const {
  const std::optional<Clock::time_point>& last = last_[static_cast<std::size_t>(kind)];
  return !last || now - *last >= std::chrono::minutes(1);
}

}  // namespace doctor::mqtt
