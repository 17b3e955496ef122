#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "doctor/base/time.hpp"

namespace doctor::server {

/// A warning that peers can provoke: at most once a minute, so that they cannot fill the log. Any
/// thread.
class PacedWarning {
 public:
  /// Nothing while it is too early; otherwise the warning is to be written, and this is how often
  /// it was passed over since the last time.
  std::optional<std::uint64_t> due(Clock::time_point now) {
    const std::scoped_lock lock(mutex_);
    if (last_ && now - *last_ < std::chrono::minutes(1)) {
      ++passed_over_;
      return std::nullopt;
    }
    last_ = now;
    return std::exchange(passed_over_, 0);
  }

 private:
  std::mutex mutex_;
  std::optional<Clock::time_point> last_;  // guarded by mutex_
  std::uint64_t passed_over_ = 0;          // guarded by mutex_
};

}  // namespace doctor::server
