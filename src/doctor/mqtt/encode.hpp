#pragma once

#include <string>

#include "doctor/mqtt/packet.hpp"

namespace doctor::mqtt {

/// Appends a packet in the form of `version`, which for a CONNECT is its own. The shortest form
/// that the standard allows is taken. What 3.1.1 has no place for is left out: properties, the
/// reasons of acknowledgements; a failed SUBACK code is 0x80 there, and a CONNACK's reason the
/// nearest of its six return codes.
///
/// The packet must be one that `decode` could give for this version: texts at most 65 535 bytes,
/// the whole at most 268 435 455.
void encode(const Packet& packet, Version version, std::string& out);

}  // namespace doctor::mqtt
