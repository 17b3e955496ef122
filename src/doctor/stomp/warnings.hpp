#pragma once

#include <cstdint>

#include "doctor/base/warnings.hpp"

namespace doctor::stomp {

/// What the broker warns of.
enum class Warning : std::uint8_t {
  refused,
  closed,
  heart_beat,
  slow,
  dropped,
  outboxes,
  answers,
  count_of_kinds,
};

}  // namespace doctor::stomp
