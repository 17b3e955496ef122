#pragma once

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <string_view>

#include "socket.hpp"

namespace bench::load {

/// A non-blocking connection of one client. What the socket does not take waits; one `read` a call.
class Connection {
 public:
  explicit Connection(int port) : socket_(port) {
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

  /// Sends what there is to send, and waits until something comes.
  void flush_and_wait() {
    flush();
    pollfd event{descriptor(), static_cast<short>(blocked() ? POLLIN | POLLOUT : POLLIN), 0};
    poll(&event, 1, -1);
  }

  /// Reads once and calls `take(input)` again and again, which says how many octets from the front
  /// it has taken, until it takes none; the rest is kept. False if there was nothing to read.
  template <class F>
  bool receive_octets(F&& take) {
    static std::string scratch(256u << 10, '\0');
    std::memcpy(scratch.data(), rest_.data(), rest_.size());
    const auto count =
        read(descriptor(), scratch.data() + rest_.size(), scratch.size() - rest_.size());
    if (count < 0 && errno == EAGAIN) return false;
    if (count == 0) fail("the broker has closed a connection: read");
    if (count < 0) fail("read");
    std::string_view input(scratch.data(), rest_.size() + static_cast<std::size_t>(count));
    while (const std::size_t taken = take(input)) input.remove_prefix(taken);
    rest_ = input;
    return true;
  }

  [[noreturn]] static void fail(const char* what) {
    std::perror(what);
    std::exit(1);
  }

 private:
  Socket socket_;
  std::string out_;
  std::size_t sent_ = 0;
  std::string rest_;  // what is not whole yet
};

}  // namespace bench::load
