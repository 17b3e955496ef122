#include "doctor/mqtt/framing.hpp"

#include <algorithm>

#include "doctor/mqtt/wire.hpp"

namespace doctor::mqtt {
namespace {

// A buffer larger than this is not kept for the next packet: an idle client should cost little.
constexpr std::size_t buffer_kept = 256;

constexpr std::size_t header_max = 5;

bool good_first_byte(std::uint8_t first) {
  const unsigned flags = first & 0x0F;
  switch (static_cast<PacketType>(first >> 4)) {
    case PacketType::publish: {
      const unsigned qos = flags >> 1 & 3;
      const bool dup = (flags & 8) != 0;
      return qos != 3 && !(dup && qos == 0);  // [MQTT-3.3.1-4] [MQTT-3.3.1-2]
    }
    case PacketType::pubrel:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
      return flags == 2;
    default:
      return first >> 4 != 0 && flags == 0;
  }
}

// The fixed header at the front of `bytes`: its size and the size of the whole packet; nothing
// while it is not all there.
struct Header {
  std::size_t size;
  std::size_t packet;
};
Decoded<std::optional<Header>> read_header(std::string_view bytes, std::size_t packet_max) {
  if (bytes.empty()) return std::optional<Header>();
  if (!good_first_byte(static_cast<std::uint8_t>(bytes[0]))) {
    return Refusal{Reason::malformed_packet, "a packet's type or flags are reserved"};
  }
  const std::string_view length = bytes.substr(1, header_max - 1);
  const auto last = std::find_if(length.begin(), length.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0x80) == 0;
  });
  if (last == length.end() && length.size() < header_max - 1) return std::optional<Header>();
  Reader reader(length);
  const std::uint32_t remaining = reader.variable();
  if (reader.failed()) return *reader.failure();
  const std::size_t size = 1 + variable_size(remaining);
  if (size + remaining > packet_max) {
    return Refusal{Reason::packet_too_large, "a packet is larger than the limit mqtt_packet"};
  }
  return std::optional(Header{size, size + remaining});
}

Frame frame_of(std::string_view packet, std::size_t header) {
  const auto first = static_cast<std::uint8_t>(packet[0]);
  return {static_cast<PacketType>(first >> 4), static_cast<std::uint8_t>(first & 0x0F),
          packet.substr(header)};
}

}  // namespace

Decoded<std::optional<Frame>> Splitter::next(std::string_view& input) {
  if (given_) {
    given_ = false;
    partial_.clear();
    if (partial_.capacity() > buffer_kept) std::string().swap(partial_);
  }
  if (partial_.empty()) {
    const auto header = read_header(input, packet_max_);
    if (!header) return header.error();
    if (*header && input.size() >= (*header)->packet) {
      const Frame frame = frame_of(input.substr(0, (*header)->packet), (*header)->size);
      input.remove_prefix((*header)->packet);
      return std::optional(frame);
    }
  }
  for (;;) {
    const auto header = read_header(partial_, packet_max_);
    if (!header) return header.error();
    if (*header && partial_.size() == (*header)->packet) {
      given_ = true;
      return std::optional(frame_of(partial_, (*header)->size));
    }
    if (input.empty()) return std::optional<Frame>();
    const std::size_t wanted = *header ? (*header)->packet - partial_.size() : 1;
    const std::size_t taken = std::min(wanted, input.size());
    partial_ += input.substr(0, taken);
    input.remove_prefix(taken);
  }
}

}  // namespace doctor::mqtt
