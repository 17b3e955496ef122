#include "proxy.hpp"

#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace soak {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void require(bool done, const char* what) {
  if (done) return;
  std::perror(what);
  std::exit(2);
}

}  // namespace

// Its sockets are shut down by whoever ends it, and closed once both threads have.
struct Proxy::Pair {
  Pair(int c, int s) : client(c), server(s) {}
  ~Pair() {
    for (std::thread& thread : threads) {
      if (thread.joinable()) thread.join();
    }
    close(client);
    close(server);
  }
  void cut() const {
    // A reset, as when a host goes away; an end in order is what clients are used to.
    const linger now{1, 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    shutdown(client, SHUT_RDWR);
    shutdown(server, SHUT_RDWR);
  }
  const int client;
  const int server;
  std::thread threads[2];
};

Proxy::Proxy(std::uint16_t server_port)
    : server_port_(server_port), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  require(bind(listener_, raw, size) == 0 && listen(listener_, 128) == 0 &&
              getsockname(listener_, raw, &size) == 0,
          "listen");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

Proxy::~Proxy() {
  ending_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  cut();
}

void Proxy::cut() {
  std::vector<std::shared_ptr<Pair>> pairs;
  {
    const std::lock_guard lock(mutex_);
    pairs.swap(pairs_);
  }
  for (const auto& pair : pairs) pair->cut();
}

void Proxy::accept_all() {
  while (!ending_) {
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const int small = 16 << 10;  // what stalls is soon felt by the server
    setsockopt(server, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    const sockaddr_in address = loopback(server_port_);
    const auto pair = std::make_shared<Pair>(client, server);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) continue;
    const int on = 1;
    for (const int socket : {client, server}) {
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    Pair* const raw = pair.get();  // which joins its threads before it goes
    pair->threads[0] = std::thread([this, raw] { carry(*raw, false); });
    pair->threads[1] = std::thread([this, raw] { carry(*raw, true); });
    const std::lock_guard lock(mutex_);
    pairs_.push_back(pair);
  }
}

void Proxy::carry(const Pair& pair, bool from_server) const {
  const int from = from_server ? pair.server : pair.client;
  const int to = from_server ? pair.client : pair.server;
  char buffer[16'384];
  for (;;) {
    while (from_server && stalled_ && !ending_) {
      pollfd ended{to, POLLRDHUP, 0};
      if (poll(&ended, 1, 5) > 0) break;
    }
    const auto count = recv(from, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    for (ssize_t sent = 0; sent < count;) {
      const auto taken =
          send(to, buffer + sent, static_cast<std::size_t>(count - sent), MSG_NOSIGNAL);
      if (taken <= 0) break;
      sent += taken;
    }
  }
  shutdown(to, SHUT_RDWR);
  shutdown(from, SHUT_RDWR);
}

}  // namespace soak
