#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "load/connection.hpp"

/// As much STOMP 1.2 as a load generator needs; nothing is checked that a broker under measurement
/// may be trusted with.
namespace bench::stomp {

class Client : public load::Connection {
 public:
  using Connection::Connection;

  /// Reads once and calls `on_frame(command, body)` for each frame that is whole. False if there
  /// was nothing to read.
  template <class F>
  bool receive(F&& on_frame) {
    return receive_octets([&](std::string_view input) -> std::size_t {
      if (input.empty()) return 0;
      if (input.front() == '\n') return 1;  // padding, or a heart-beat
      const auto head = input.find("\n\n");
      if (head == std::string_view::npos) return 0;
      const std::size_t begin = head + 2;
      const std::size_t size = body_size(input, head);
      if (size == std::string_view::npos || input.size() <= begin + size) return 0;
      const std::string_view command = input.substr(0, input.find('\n'));
      if (command == "ERROR") {
        std::fprintf(stderr, "%.*s\n", static_cast<int>(begin + size), input.data());
        std::exit(1);
      }
      on_frame(command, input.substr(begin, size));
      return begin + size + 1;
    });
  }

  void log_in() { ask(std::string("CONNECT\naccept-version:1.2\nhost:/\n\n") + '\0', "CONNECTED"); }
  void subscribe(std::string_view destination) {
    ask("SUBSCRIBE\nid:0\ndestination:" + std::string(destination) + "\nreceipt:1\n\n" + '\0',
        "RECEIPT");
  }

 private:
  static std::size_t body_size(std::string_view input, std::size_t head) {
    constexpr std::string_view name = "\ncontent-length:";
    const auto at = input.substr(0, head).find(name);
    if (at == std::string_view::npos) {
      const auto end = input.find('\0', head + 2);
      return end == std::string_view::npos ? end : end - head - 2;
    }
    return std::strtoull(input.data() + at + name.size(), nullptr, 10);
  }

  void ask(std::string_view frame, std::string_view answer) {
    out() += frame;
    bool there = false;
    while (!there) {
      flush_and_wait();
      receive([&](std::string_view command, std::string_view) { there |= command == answer; });
    }
  }
};

}  // namespace bench::stomp
