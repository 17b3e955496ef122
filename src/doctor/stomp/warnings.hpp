#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "doctor/base/time.hpp"

namespace doctor::stomp {

/// Warnings for a person, each kind at most once a minute: peers must not be able to fill the log.
class Warnings {
 public:
  enum class Kind : std::uint8_t {
    refused,
    closed,
    heart_beat,
    slow,
    dropped,
    answers,
    count_of_kinds,
  };

  explicit Warnings(std::function<void(std::string_view)> log) : log_(std::move(log)) {}

  void warn(Kind kind, std::string_view text, Clock::time_point now);

 private:
  std::function<void(std::string_view)> log_;
  std::array<std::optional<Clock::time_point>, static_cast<std::size_t>(Kind::count_of_kinds)>
      last_;
};

}  // namespace doctor::stomp
