#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "doctor/base/limits.hpp"

namespace doctor::server {

/// One field of Limits as a setting: its name, what may be written, and its place.
struct LimitSetting {
  enum class Unit : std::uint8_t { count, bytes, duration };
  using Place = std::variant<std::size_t Limits::*, std::uint32_t Limits::*,
                             std::uint16_t Limits::*, std::chrono::milliseconds Limits::*>;

  std::string_view name;
  Unit unit;
  Place place;
  std::uint64_t least;
  std::uint64_t most;

  std::uint64_t get(const Limits& limits) const;
  void set(Limits& limits, std::uint64_t value) const;
};

/// All of them, in the order of limits.hpp.
std::span<const LimitSetting> limit_settings();

/// `"64 MiB"`, `"2GiB"`, `"10 kB"`, `"100"`: bytes, with binary (KiB ...) or decimal (kB ...)
/// units.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// `"250ms"`, `"10 s"`, `"5min"`, `"1h"`, `"7d"`: milliseconds.
std::optional<std::uint64_t> parse_duration(std::string_view text);

}  // namespace doctor::server
