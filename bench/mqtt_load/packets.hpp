#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// As much MQTT as a load generator needs: packets written and cut out of a stream, and nothing
/// checked that a broker under measurement may be trusted with.
namespace bench::mqtt {

enum Type : std::uint8_t {
  connack = 2,
  publish = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  suback = 9,
};

struct Credentials {
  std::string user_name;  ///< empty: none
  std::string password;
};

inline void append_number(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number);
}

inline void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += text;
}

inline void append_length(std::string& out, std::size_t length) {
  for (; length > 127; length >>= 7) out += static_cast<char>(length | 0x80);
  out += static_cast<char>(length);
}

inline std::string packet(std::uint8_t first, std::string_view body) {
  std::string out(1, static_cast<char>(first));
  append_length(out, body.size());
  return out += body;
}

/// Whether a session ends with its connection or waits for the next.
enum class Session { clean, persistent };

/// @param version  4 (3.1.1) or 5; keep alive 0
inline std::string connect_packet(int version, std::string_view client_id,
                                  const Credentials& credentials = {},
                                  Session session = Session::clean) {
  const bool clean = session == Session::clean;
  std::string body;
  append_text(body, "MQTT");
  body += static_cast<char>(version);
  body += static_cast<char>((credentials.user_name.empty() ? 0 : 0xc0) | (clean ? 0x02 : 0));
  append_number(body, 0);
  if (version == 5) {
    const std::string_view an_hour("\x05\x11\x00\x00\x0e\x10", 6);  // Session Expiry Interval
    body += clean ? std::string_view("\0", 1) : an_hour;
  }
  append_text(body, client_id);
  if (!credentials.user_name.empty()) {
    append_text(body, credentials.user_name);
    append_text(body, credentials.password);
  }
  return packet(0x10, body);
}

inline std::string subscribe_packet(int version, std::span<const std::string> filters, int qos) {
  std::string body;
  append_number(body, 1);
  if (version == 5) body += '\0';
  for (const std::string& filter : filters) {
    append_text(body, filter);
    body += static_cast<char>(qos);
  }
  return packet(0x82, body);
}

/// A PUBLISH, and where in it the parts stand that differ from message to message.
struct PublishTemplate {
  PublishTemplate(int version, std::string_view topic, int qos, bool retain, std::size_t size) {
    std::string body;
    append_text(body, topic);
    id_from_end = size + (version == 5) + 2;
    if (qos != 0) append_number(body, 0);
    if (version == 5) body += '\0';
    body.append(size, '.');
    octets = packet(static_cast<std::uint8_t>(0x30 | qos << 1 | (retain ? 1 : 0)), body);
    payload_from_end = size;
  }
  std::string octets;
  std::size_t id_from_end = 0;  ///< meaningful with QoS 1 and 2
  std::size_t payload_from_end = 0;
};

/// The payload of a PUBLISH that was received.
/// @param body  what follows its fixed header
/// @param id    its packet identifier, with QoS 1 and 2
inline std::string_view payload_of(int version, int qos, std::string_view body, std::uint16_t& id) {
  const auto number = [&](std::size_t at) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(body[at]) << 8 |
                                      static_cast<unsigned char>(body[at + 1]));
  };
  std::size_t at = 2u + number(0);
  if (qos != 0) {
    id = number(at);
    at += 2;
  }
  if (version == 5) {
    std::size_t properties = 0;
    int shift = 0;
    do {
      properties |= (static_cast<unsigned char>(body[at]) & 0x7fu) << shift;
      shift += 7;
    } while ((static_cast<unsigned char>(body[at++]) & 0x80) != 0);
    at += properties;
  }
  return body.substr(at);
}

}  // namespace bench::mqtt
