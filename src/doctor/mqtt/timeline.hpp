#pragma once

#include <algorithm>
#include <chrono>

#include "doctor/base/time.hpp"

namespace doctor::mqtt {

/// What the wall clock shows at each time of the process, as last told.
struct Timeline {
  Clock::time_point at;
  Timestamp wall;

  Timestamp wall_of(Clock::time_point time) const {
    const auto since = std::chrono::floor<std::chrono::milliseconds>(time - at);
    return Timestamp(wall.value + since.count());
  }
  /// Within a century, whatever the number.
  Clock::time_point time_of(Timestamp time) const {
    constexpr std::int64_t century = 100LL * 366 * 24 * 3600 * 1000;
    const std::int64_t low = wall.value - century;
    const std::int64_t high = wall.value + century;
    return at + std::chrono::milliseconds(std::clamp(time.value, low, high) - wall.value);
  }
};

}  // namespace doctor::mqtt
