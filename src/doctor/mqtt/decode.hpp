#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "doctor/mqtt/framing.hpp"
#include "doctor/mqtt/packet.hpp"

namespace doctor::mqtt {

/// Decodes any control packet of either version, whichever side sends it; what it gives are views
/// of the frame. It checks all that a packet alone can show: its form, its texts, topics and
/// filters, reason codes and properties. What depends on the connection is left to the session.
///
/// @param version  what CONNECT has agreed upon; a CONNECT brings its own
/// @return  refused with the reason code to close with: malformed packet (0x81), protocol error
///          (0x82), unsupported protocol version (0x84; only of a CONNECT)
Decoded<Packet> decode(const Frame& frame, Version version);

/// The protocol level of a CONNECT whose protocol name is right, be the rest as it may: tells in
/// which form a refusal can be understood.
std::optional<std::uint8_t> protocol_level(const Frame& connect);

}  // namespace doctor::mqtt
