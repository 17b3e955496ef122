#pragma once

#include <cstdint>

#include "doctor/base/warnings.hpp"

namespace doctor::mqtt {

/// What the broker warns of.
enum class Warning : std::uint8_t {
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

}  // namespace doctor::mqtt
