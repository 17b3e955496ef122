#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/encode.hpp"
#include "doctor/mqtt/wire.hpp"

// The vocabulary of the codec's tests: packets as bytes, built piece by piece, and how they are
// refused.
namespace doctor::mqtt::testing {

inline constexpr Version v3 = Version::v3_1_1;
inline constexpr Version v5 = Version::v5_0;

inline std::string bytes_of(const Packet& packet, Version version) {
  std::string bytes;
  encode(packet, version, bytes);
  return bytes;
}

// The refusal of a stream of bytes: of the first packet, header or body.
inline Reason refused(std::string_view bytes, Version version = v5) {
  Splitter splitter(1 << 20);
  const auto frame = splitter.next(bytes);
  if (!frame) return frame.error().reason;
  if (!*frame) {
    ADD_FAILURE() << "not a whole packet";
    return Reason::success;
  }
  const auto packet = decode(**frame, version);
  return packet ? Reason::success : packet.error().reason;
}

// PUBLISH at QoS 0 with a topic of these octets.
inline std::string publish_to(std::string_view topic) {
  std::string body;
  append_binary(body, topic);
  body += '\0';
  std::string bytes = "\x30";
  append_variable(bytes, static_cast<std::uint32_t>(body.size()));
  return bytes + body;
}

inline std::string with_properties(std::string_view before, std::string_view properties,
                                   std::string_view after = {}) {
  std::string body(before);
  append_variable(body, static_cast<std::uint32_t>(properties.size()));
  body += properties;
  return body += after;
}

inline std::string packet_of(std::uint8_t first, std::string_view body) {
  std::string bytes(1, static_cast<char>(first));
  append_variable(bytes, static_cast<std::uint32_t>(body.size()));
  return bytes += body;
}

}  // namespace doctor::mqtt::testing
