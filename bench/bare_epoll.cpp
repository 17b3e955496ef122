// The limit that a server on this machine can come near: one thread, epoll, keep-alive. It looks
// for the blank line that ends each request and writes one prebuilt answer with one system call; it
// parses nothing, looks nothing up and checks nothing.
//
//   bare_epoll PORT BODY-FILE
//
// Answers every request with the body of the file. Pipelined requests get as many answers in one
// write. Ends with SIGTERM.

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

struct Connection {
  std::string input;
  std::string output;  // what the kernel did not take at once
  std::size_t written = 0;
  bool waits_to_write = false;
};

int listen_on(std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 4096) != 0) {
    std::perror("bare_epoll");
    std::exit(1);
  }
  return listener;
}

std::string answer_with(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// False when the connection has ended.
bool flush(int socket, Connection& connection) {
  while (connection.written < connection.output.size()) {
    const auto count = write(socket, connection.output.data() + connection.written,
                             connection.output.size() - connection.written);
    if (count < 0) return errno == EAGAIN;
    connection.written += static_cast<std::size_t>(count);
  }
  connection.output.clear();
  connection.written = 0;
  return true;
}

bool serve(int socket, Connection& connection, const std::string& answer) {
  char buffer[16384];
  const auto count = read(socket, buffer, sizeof buffer);
  if (count < 0) return errno == EAGAIN;
  if (count == 0) return false;
  std::string_view input(buffer, static_cast<std::size_t>(count));
  if (!connection.input.empty()) {
    connection.input.append(input);
    input = connection.input;
  }
  std::size_t taken = 0;
  std::size_t requests = 0;
  for (std::size_t end; (end = input.find("\r\n\r\n", taken)) != std::string_view::npos;) {
    taken = end + 4;
    ++requests;
  }
  if (requests == 1 && connection.output.empty()) {
    const auto sent = write(socket, answer.data(), answer.size());
    if (sent < 0 && errno != EAGAIN) return false;
    const auto done = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    connection.output.append(answer, done);
  } else {
    for (std::size_t i = 0; i < requests; ++i) connection.output.append(answer);
  }
  connection.input = std::string(input.substr(taken));
  return flush(socket, connection);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bare_epoll PORT BODY-FILE\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::ifstream file(argv[2], std::ios::binary);
  const std::string body{std::istreambuf_iterator<char>(file), {}};
  const std::string answer = answer_with(body);

  const int listener = listen_on(static_cast<std::uint16_t>(std::atoi(argv[1])));
  const int poll = epoll_create1(0);
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.fd = listener;
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &interest);

  std::unordered_map<int, Connection> connections;
  std::vector<epoll_event> events(1024);
  for (;;) {
    const int ready = epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == listener) {
        for (int accepted; (accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
          const int on = 1;
          setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          connections[accepted];
          interest.events = EPOLLIN;
          interest.data.fd = accepted;
          epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &interest);
        }
        continue;
      }
      Connection& connection = connections[socket];
      const auto what = events[static_cast<std::size_t>(i)].events;
      bool open = flush(socket, connection);
      if (open && (what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        open = serve(socket, connection, answer);
      }
      if (!open) {
        close(socket);
        connections.erase(socket);
        continue;
      }
      if (const bool waits = !connection.output.empty(); waits != connection.waits_to_write) {
        connection.waits_to_write = waits;
        interest.events = waits ? EPOLLOUT : EPOLLIN;
        interest.data.fd = socket;
        epoll_ctl(poll, EPOLL_CTL_MOD, socket, &interest);
      }
    }
  }
}
