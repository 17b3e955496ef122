#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <string_view>

#include "packets.hpp"
#include "socket.hpp"

namespace bench::mqtt {

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
