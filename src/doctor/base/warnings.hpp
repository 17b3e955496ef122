#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "doctor/base/time.hpp"

namespace doctor {

/// Warnings for a person, each kind at most once a minute: peers must not be able to fill the log.
///
/// @tparam Kinds  an enum whose last name is `count_of_kinds`
template <class Kinds>
class Warnings {
 public:
  using Kind = Kinds;

  explicit Warnings(std::function<void(std::string_view)> log) : log_(std::move(log)) {}

  void warn(Kind kind, std::string_view text, Clock::time_point now) {
    if (!due(kind, now)) return;
    last_[static_cast<std::size_t>(kind)] = now;
    log_(text);
  }
  /// Whether it would be written: ask before making the text of one that comes often.
  bool due(Kind kind, Clock::time_point now) const {
    const std::optional<Clock::time_point>& last = last_[static_cast<std::size_t>(kind)];
    return !last || now - *last >= std::chrono::minutes(1);
  }

 private:
  std::function<void(std::string_view)> log_;
  std::array<std::optional<Clock::time_point>, static_cast<std::size_t>(Kind::count_of_kinds)>
      last_;
};

}  // namespace doctor
