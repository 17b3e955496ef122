#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/mqtt/reason.hpp"

namespace doctor::mqtt {

/// One control packet, not yet decoded.
struct Frame {
  PacketType type{};
  std::uint8_t flags = 0;  ///< the low four bits of the first byte, checked
  std::string_view body;   ///< what follows the remaining length
};

/// Cuts a stream of bytes into control packets by their fixed headers (§2.1). Packets that come
/// whole are not copied; of one that comes in pieces, what has come is kept, never more.
class Splitter {
 public:
  /// @param packet_max  the largest packet taken, fixed header and all
  explicit Splitter(std::size_t packet_max) : packet_max_(packet_max) {}
  void set_packet_max(std::size_t packet_max) { packet_max_ = packet_max; }

  /// Takes from the front of `input` and gives the next packet, or nothing once all is taken. The
  /// packet's body lives until the next call, and as long as what `input` views. Refuses, as soon
  /// as the fixed header shows it and before the body is there: types and flags that are reserved
  /// or wrong [MQTT-2.1.3-1], a remaining length that is not minimal [MQTT-1.5.5-1], a packet
  /// over the maximum. After a refusal the stream is lost.
  Decoded<std::optional<Frame>> next(std::string_view& input);

 private:
  std::size_t packet_max_;
  std::string partial_;  // the beginning of a packet that came in pieces
  bool given_ = false;   // partial_ was given as a whole packet by the last call
};

}  // namespace doctor::mqtt
