#include "doctor/stomp/warnings.hpp"

#include <chrono>

namespace doctor::stomp {

void Warnings::warn(Kind kind, std::string_view text, Clock::time_point now) {
  auto& last = last_[static_cast<std::size_t>(kind)];
  if (last && now - *last < std::chrono::minutes(1)) return;
  last = now;
  log_(text);
}

}  // namespace doctor::stomp
