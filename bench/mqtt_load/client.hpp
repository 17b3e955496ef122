#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/connection.hpp"
#include "mqtt_load/packets.hpp"

namespace bench::mqtt {

/// A connection that speaks in packets.
class Client : public load::Connection {
 public:
  using Connection::Connection;

  /// Reads once and calls `on_packet(first octet, body)` for each packet that is whole.
  /// False if there was nothing to read.
  template <class F>
  bool receive(F&& on_packet) {
    return receive_octets([&](std::string_view input) -> std::size_t {
      std::size_t length = 0;
      std::size_t at = 1;
      bool whole = false;
      while (!whole && at < input.size()) {
        const auto octet = static_cast<unsigned char>(input[at]);
        length |= static_cast<std::size_t>(octet & 0x7f) << (7 * (at - 1));
        whole = octet < 0x80;
        ++at;
      }
      if (!whole || input.size() < at + length) return 0;
      on_packet(static_cast<std::uint8_t>(input[0]), input.substr(at, length));
      return at + length;
    });
  }

  /// Sends, and waits for one packet of the type; its body.
  std::string ask(std::string_view request, Type answer) {
    out() += request;
    std::string found;
    bool there = false;
    while (!there) {
      flush_and_wait();
      receive([&](std::uint8_t first, std::string_view body) {
        if (first >> 4 == answer && !there) {
          found = body;
          there = true;
        }
      });
    }
    return found;
  }
};

}  // namespace bench::mqtt
