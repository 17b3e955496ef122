#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <string>
#include <string_view>

#include "socket.hpp"

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

/// @param version  4 (3.1.1) or 5; keep alive 0, clean
inline std::string connect_packet(int version, std::string_view client_id,
                                  const Credentials& credentials = {}) {
  std::string body;
  append_text(body, "MQTT");
  body += static_cast<char>(version);
  body += static_cast<char>(credentials.user_name.empty() ? 0x02 : 0xc2);
  append_number(body, 0);
  if (version == 5) body += '\0';
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

/// A non-blocking connection of one client. What the socket does not take waits; one `read` a call.
class Client {
 public:
  explicit Client(int port) : socket_(port) {
    fcntl(descriptor(), F_SETFL, fcntl(descriptor(), F_GETFL) | O_NONBLOCK);
  }

  int descriptor() const { return socket_.descriptor(); }
  /// Whether the socket has not taken all that was sent: after an edge of EPOLLOUT it may.
  bool blocked() const { return !out_.empty(); }
  /// What `flush` will send; add to it.
  std::string& out() { return out_; }
  const std::string& out() const { return out_; }

  void flush() {
    while (sent_ < out_.size()) {
      const auto count = write(descriptor(), out_.data() + sent_, out_.size() - sent_);
      if (count < 0 && errno == EAGAIN) return;
      if (count < 0) fail("write");
      sent_ += static_cast<std::size_t>(count);
    }
    out_.clear();
    sent_ = 0;
  }

  /// Reads once and calls `on_packet(first octet, body)` for each packet that is whole.
  /// False if there was nothing to read.
  template <class F>
  bool receive(F&& on_packet) {
    static std::string scratch(256u << 10, '\0');
    std::memcpy(scratch.data(), rest_.data(), rest_.size());
    const auto count =
        read(descriptor(), scratch.data() + rest_.size(), scratch.size() - rest_.size());
    if (count < 0 && errno == EAGAIN) return false;
    if (count == 0) fail("the broker has closed a connection: read");
    if (count < 0) fail("read");
    std::string_view input(scratch.data(), rest_.size() + static_cast<std::size_t>(count));
    for (;;) {
      std::size_t length = 0;
      std::size_t at = 1;
      bool whole = false;
      while (!whole && at < input.size()) {
        const auto octet = static_cast<unsigned char>(input[at]);
        length |= static_cast<std::size_t>(octet & 0x7f) << (7 * (at - 1));
        whole = octet < 0x80;
        ++at;
      }
      if (!whole || input.size() < at + length) break;
      on_packet(static_cast<std::uint8_t>(input[0]), input.substr(at, length));
      input.remove_prefix(at + length);
    }
    rest_ = input;
    return true;
  }

  /// Sends, and waits for one packet of the type; its body.
  std::string ask(std::string_view request, Type answer) {
    out_ += request;
    std::string found;
    bool there = false;
    while (!there) {
      flush();
      pollfd event{descriptor(), static_cast<short>(blocked() ? POLLIN | POLLOUT : POLLIN), 0};
      poll(&event, 1, -1);
      receive([&](std::uint8_t first, std::string_view body) {
        if (first >> 4 == answer && !there) {
          found = body;
          there = true;
        }
      });
    }
    return found;
  }

  [[noreturn]] static void fail(const char* what) {
    std::perror(what);
    std::exit(1);
  }

 private:
  Socket socket_;
  std::string out_;
  std::size_t sent_ = 0;
  std::string rest_;  // a packet that is not whole yet
};

}  // namespace bench::mqtt
