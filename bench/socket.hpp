#pragma once

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

/// A blocking connection to a port of this machine; ends the program with words when it fails: a
/// benchmark that cannot connect has nothing to say.
class Socket {
 public:
  explicit Socket(int port) : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      fail("connect");
    }
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(descriptor_); }

  int descriptor() const { return descriptor_; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = write(descriptor_, bytes.data(), bytes.size());
      if (count <= 0) fail("write");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  /// Whatever came, at least one octet.
  std::string receive() {
    char buffer[65536];
    const auto count = read(descriptor_, buffer, sizeof buffer);
    if (count <= 0) fail("read");
    return {buffer, static_cast<std::size_t>(count)};
  }

  /// One HTTP answer with a Content-Length; its status.
  int receive_answer() {
    std::size_t head = std::string::npos;
    while ((head = input_.find("\r\n\r\n")) == std::string::npos) input_ += receive();
    const int status = std::atoi(input_.c_str() + 9);
    std::size_t length = 0;
    if (const auto at = input_.find("Content-Length: "); at < head) {
      length = std::strtoull(input_.c_str() + at + 16, nullptr, 10);
    }
    while (input_.size() < head + 4 + length) input_ += receive();
    input_.erase(0, head + 4 + length);
    return status;
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    std::perror(what);
    std::exit(1);
  }

  int descriptor_;
  std::string input_;
};

}  // namespace bench
