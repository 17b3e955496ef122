#include "doctor/server/websocket.hpp"

#include <algorithm>

#include "doctor/base/crypto.hpp"
#include "doctor/base/text.hpp"

namespace doctor::server {
namespace {

// RFC 6455 §5.2
constexpr std::uint8_t continuation = 0;
constexpr std::uint8_t text = 1;
constexpr std::uint8_t binary = 2;
constexpr std::uint8_t closing = 8;
constexpr std::uint8_t ping = 9;
constexpr std::uint8_t pong = 10;

// RFC 6455 §7.4.1
constexpr std::uint16_t normal = 1000;
constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t unsupported_data = 1003;

constexpr std::size_t control_max = 125;

std::string accept_value(std::string_view key) {
  std::string text_of_key(key);
  text_of_key += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  return base64(sha1(text_of_key));
}

// 16 octets in base64: 22 characters of its alphabet and two times the padding.
bool is_key(std::string_view key) {
  if (key.size() != 24 || !key.ends_with("==")) return false;
  return std::all_of(key.begin(), key.end() - 2, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  });
}

bool may_be_sent(std::uint16_t code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
         (code >= 3000 && code <= 4999);
}

std::string_view find(const rest::RequestHead& head, std::string_view name) {
  for (const rest::Header& header : head.headers) {
    if (equal_ignoring_case(header.name, name)) return header.value;
  }
  return {};
}

}  // namespace

bool websocket_offers_mqtt(const rest::RequestHead& head) {
  for (const rest::Header& header : head.headers) {
    if (!equal_ignoring_case(header.name, "sec-websocket-protocol")) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      const std::size_t comma = std::min(list.find(','), list.size());
      if (trimmed(list.substr(0, comma)) == "mqtt") return true;
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
  }
  return false;
}

Result<std::string> websocket_handshake(const rest::RequestHead& head) {
  if (find(head, "sec-websocket-version") != "13") {
    return invalid("WebSocket: the only version that is served is 13");
  }
  const std::string_view key = find(head, "sec-websocket-key");
  if (!is_key(key)) return invalid("WebSocket: Sec-WebSocket-Key is not 16 octets in base64");
  if (!websocket_offers_mqtt(head)) {
    return invalid("WebSocket: the sub-protocol mqtt is not offered in Sec-WebSocket-Protocol");
  }
  return "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: mqtt\r\n"
         "Sec-WebSocket-Accept: " +
         accept_value(key) + "\r\n";
}

bool WebSocket::receive(std::string_view octets, std::string& payload) {
  if (closing_) return false;
  while (!octets.empty() || (in_frame_ && remaining_ == 0)) {
    if (!in_frame_) {
      header_ += octets.front();
      octets.remove_prefix(1);
      if (!read_header()) return false;
      continue;
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), remaining_));
    std::string& into = opcode_ >= closing ? control_ : payload;
    const std::size_t start = into.size();
    into.append(octets.substr(0, count));
    for (std::size_t i = start; i < into.size(); ++i) {
      into[i] = static_cast<char>(into[i] ^ mask_[mask_at_++ & 3]);
    }
    octets.remove_prefix(count);
    remaining_ -= count;
    if (remaining_ > 0) continue;
    in_frame_ = false;
    if (opcode_ >= closing && !control_frame()) return false;
  }
  return true;
}

// RFC 6455 §5.2, octet by octet: most frames of MQTT are small, and so is their header.
bool WebSocket::read_header() {
  const auto octet = [this](std::size_t i) { return static_cast<std::uint8_t>(header_[i]); };
  if (header_.size() < 2) return true;
  const std::uint8_t short_length = octet(1) & 0x7F;
  const std::size_t length_octets = short_length == 127 ? 8 : short_length == 126 ? 2 : 0;
  if (header_.size() == 2) {
    const bool final = (octet(0) & 0x80) != 0;
    opcode_ = octet(0) & 0x0F;
    if ((octet(0) & 0x70) != 0) return fail(protocol_error);  // no extension was agreed on
    if ((octet(1) & 0x80) == 0) return fail(protocol_error);  // §5.1: a client must mask
    switch (opcode_) {
      case continuation:
        if (!fragmented_) return fail(protocol_error);
        fragmented_ = !final;
        break;
      case binary:
        if (fragmented_) return fail(protocol_error);
        fragmented_ = !final;
        break;
      case text:
        return fail(unsupported_data);  // [MQTT-6.0.0-1]
      case closing:
      case ping:
      case pong:
        if (!final || short_length > control_max) return fail(protocol_error);
        break;
      default:
        return fail(protocol_error);
    }
  }
  if (header_.size() < 2 + length_octets + 4) return true;
  remaining_ = short_length;
  if (length_octets > 0) {
    remaining_ = 0;
    for (std::size_t i = 0; i < length_octets; ++i) remaining_ = remaining_ << 8 | octet(2 + i);
    // §5.2: the shortest form, and the highest bit of 64 is 0.
    if (remaining_ <= (length_octets == 2 ? 125u : 0xFFFFu)) return fail(protocol_error);
    if (remaining_ >> 63 != 0) return fail(protocol_error);
  }
  std::copy_n(header_.end() - 4, 4, mask_);
  mask_at_ = 0;
  in_frame_ = true;
  header_.clear();
  return true;
}

bool WebSocket::control_frame() {
  std::string payload;
  payload.swap(control_);
  if (opcode_ == ping) pong_ = std::move(payload);  // §5.5.3: the last ping is the one to answer
  if (opcode_ != closing) return true;
  if (payload.size() == 1) return fail(protocol_error);
  if (payload.empty()) {
    close(normal);
    return false;
  }
  const auto code = static_cast<std::uint16_t>(static_cast<std::uint8_t>(payload[0]) << 8 |
                                               static_cast<std::uint8_t>(payload[1]));
  const bool sound = may_be_sent(code) && is_utf8(std::string_view(payload).substr(2));
  if (!sound) return fail(protocol_error);
  close(code);
  return false;
}

bool WebSocket::fail(std::uint16_t code) {
  broken_ = true;
  close(code);
  return false;
}

void WebSocket::close(std::uint16_t code) {
  if (!closing_) closing_ = code;
}

void WebSocket::take_control(std::string& out) {
  if (close_sent_) return;
  if (pong_) {
    out += static_cast<char>(0x80 | pong);
    out += static_cast<char>(pong_->size());
    out += *pong_;
    pong_.reset();
  }
  if (closing_) {
    out += static_cast<char>(0x80 | closing);
    out += '\2';
    out += static_cast<char>(*closing_ >> 8);
    out += static_cast<char>(*closing_ & 0xFF);
    close_sent_ = true;
  }
}

std::size_t WebSocket::put_header(std::string& octets) {
  const std::size_t size = octets.size() - header_max;
  if (size == 0) return header_max;
  const std::size_t length_octets = size <= 125 ? 0 : size <= 0xFFFF ? 2 : 8;
  const std::size_t begin = header_max - 2 - length_octets;
  std::size_t at = begin;
  octets[at++] = static_cast<char>(0x80 | binary);
  octets[at++] = static_cast<char>(length_octets == 0 ? size : length_octets == 2 ? 126 : 127);
  for (std::size_t i = length_octets; i-- > 0;) {
    octets[at++] = static_cast<char>(size >> (8 * i) & 0xFF);
  }
  return begin;
}

}  // namespace doctor::server
