#pragma once

#include <chrono>
#include <cstdint>

#include "doctor/base/strong.hpp"

namespace doctor {

/// For durations and deadlines inside the process. Pure code gets it as an argument.
using Clock = std::chrono::steady_clock;

/// A wall-clock time in milliseconds since 1970-01-01T00:00:00Z: what commands, commits and
/// expiries carry.
using Timestamp = Strong<struct TimestampTag, std::int64_t>;

}  // namespace doctor
