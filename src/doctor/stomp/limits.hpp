#pragma once

#include <chrono>
#include <cstddef>

namespace doctor::stomp {

/// What one frame may have. Sizes are octets.
struct FrameLimits {
  std::size_t headers = 128;
  std::size_t header_line = 16u << 10;   ///< name, colon and value, as they are on the wire
  std::size_t header_block = 64u << 10;  ///< from the command to the empty line
  std::size_t body = 16u << 20;
};

/// Everything that a STOMP peer can make grow. A refusal names the bound as `stomp_` and its name
/// here.
struct Limits {
  FrameLimits frame;
  std::size_t before_connect = 64u << 10;             ///< octets of frames held until CONNECT
  std::chrono::milliseconds connect_timeout{10'000};  ///< from the accept to CONNECT
  std::size_t subscriptions = 1'000;                  ///< of one connection
  std::size_t destination_segments = 128;             ///< between the dots of a destination
  std::size_t transactions = 100;                     ///< open at a time, of one connection
  std::size_t transaction_frames = 10'000;            ///< of one transaction
  std::size_t transaction_bytes = 16u << 20;          ///< of one transaction
  std::size_t outbox_frames = 50'000;                 ///< waiting for one connection
  std::size_t outbox_bytes = 16u << 20;               ///< waiting for one connection
  std::size_t unacked_messages = 10'000;              ///< of one subscription
  std::size_t unacked_bytes = 16u << 20;              ///< of one subscription
  std::chrono::milliseconds stalled_timeout{30'000};  ///< a peer that takes nothing
};

}  // namespace doctor::stomp
