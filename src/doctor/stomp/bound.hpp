#pragma once

#include <cstdint>
#include <string_view>

namespace doctor::stomp {

/// The limit that something passes which therefore cannot wait for a client.
enum class Bound : std::uint8_t {
  none,  ///< there is room
  outbox_frames,
  outbox_bytes,
  outboxes_bytes,  ///< of all connections together
  unacked_messages,
  unacked_bytes,
};

/// As the setting is called; of `none` nothing.
constexpr std::string_view name_of(Bound bound) {
  switch (bound) {
    case Bound::none:
      break;
    case Bound::outbox_frames:
      return "stomp_outbox_frames";
    case Bound::outbox_bytes:
      return "stomp_outbox_bytes";
    case Bound::outboxes_bytes:
      return "stomp_outboxes_bytes";
    case Bound::unacked_messages:
      return "stomp_unacked_messages";
    case Bound::unacked_bytes:
      return "stomp_unacked_bytes";
  }
  return {};
}

}  // namespace doctor::stomp
