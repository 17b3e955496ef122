#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"
#include "doctor/rest/http.hpp"

namespace doctor::server {

/// Whether the client offers the sub-protocol of MQTT (MQTT 5.0 §6).
bool websocket_offers_mqtt(const rest::RequestHead& head);

/// The headers of the 101 answer to an upgrade for MQTT (RFC 6455 §4.2.2), each line with its CRLF.
/// Errc::invalid: not version 13, a key that is not 16 octets in base64, no sub-protocol `mqtt`.
Result<std::string> websocket_handshake(const rest::RequestHead& head);

/// The server's end of a WebSocket that carries MQTT (RFC 6455; MQTT 5.0 §6): octets in, payload
/// and control frames out. Payload is handed on as it comes, since MQTT packets and frames are not
/// aligned [MQTT-6.0.0-2]; so nothing is held but a control frame of at most 125 octets.
class WebSocket {
 public:
  /// Takes octets of the client, cut anywhere. Appends what binary frames carried to `payload`.
  /// @return false once the client may send nothing more: it has closed, or broken the protocol
  bool receive(std::string_view octets, std::string& payload);

  /// Whether it was the protocol that it broke.
  bool broken() const { return broken_; }

  /// Moves control frames that are due, a pong or the closing frame, behind `out`.
  void take_control(std::string& out);
  bool has_control() const { return pong_.has_value() || (closing_ && !close_sent_); }
  /// Whether the closing frame has been taken: nothing may be sent behind it (RFC 6455 §5.5.1).
  bool has_closed() const { return close_sent_; }

  /// Begins to close from this end, 1000 if nothing else is known to be wrong.
  void close(std::uint16_t code);

  /// The most octets that the header of a frame from this end takes.
  static constexpr std::size_t header_max = 10;
  /// Makes a binary frame of the payload behind the first `header_max` octets of `octets`, which
  /// are room for its header: writes that right before the payload, unless there is none.
  /// @return where the frame begins
  static std::size_t put_header(std::string& octets);

 private:
  bool read_header();
  bool control_frame();
  bool fail(std::uint16_t code);

  std::string header_;           // of the frame that is coming, as far as it has come
  std::uint64_t remaining_ = 0;  // octets of its payload that are still to come
  std::uint32_t mask_at_ = 0;    // which octet of the mask is next
  char mask_[4] = {};
  bool in_frame_ = false;
  bool fragmented_ = false;  // a message has begun whose last frame is still to come
  std::uint8_t opcode_ = 0;
  std::string control_;  // payload of a control frame, as far as it has come
  std::optional<std::string> pong_;
  std::optional<std::uint16_t> closing_;
  bool close_sent_ = false;
  bool broken_ = false;
};

}  // namespace doctor::server
