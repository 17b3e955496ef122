#pragma once

#include <algorithm>
#include <cstdint>

#include "doctor/base/time.hpp"
#include "doctor/client/options.hpp"

namespace doctor::client {

/// How long to wait after this many failures in a row (at least 1): doubled each time up to a
/// bound, and up to a fifth more or less, so that the clients of a server that went away do not
/// all come back in the same moment.
/// @param chance  from [0, 1)
inline Clock::duration back_off(const Options& options, std::uint32_t failures, double chance) {
  std::chrono::milliseconds wait = options.back_off_first;
  for (std::uint32_t i = 1; i < failures && wait < options.back_off_max; ++i) wait *= 2;
  wait = std::min(wait, options.back_off_max);
  return std::chrono::duration_cast<Clock::duration>(wait * (0.8 + 0.4 * chance));
}

}  // namespace doctor::client
