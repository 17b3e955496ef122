#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "doctor/base/time.hpp"

namespace doctor::mqtt {

/// Warnings for a person, each kind at most once a minute: peers must not be able to fill the log.
class Warnings {
 public:
  enum class Kind : std::uint8_t {
    refused,
    connect_timeout,
    malformed,
    packet_size,
    receive_maximum,
    keep_alive,
    slow,
    behind,
    dropped,
    retained,
    subscriptions,
    sessions,
    state,
    session_ended,
    count_of_kinds,
  };

  explicit Warnings(std::function<void(std::string_view)> log) : log_(std::move(log)) {}

  void warn(Kind kind, std::string_view text, Clock::time_point now);
  /// Whether it would be written: ask before making the text of one that comes often.
  bool due(Kind kind, Clock::time_point now) const;

 private:
  std::function<void(std::string_view)> log_;
  std::array<std::optional<Clock::time_point>, static_cast<std::size_t>(Kind::count_of_kinds)>
      last_;
};

}  // namespace doctor::mqtt
