#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/server/io_thread.hpp"
#include "doctor/server/shared.hpp"

namespace doctor::server {

/// One listening socket. What it accepts goes to I/O threads in turn.
class Listener {
 public:
  /// Called on the I/O thread that the socket belongs to from now on.
  using Accepted =
      std::function<void(IoThread& thread, Socket socket, std::string peer, Share place)>;

  /// Binds and listens; nothing is accepted yet. Errc::unavailable, saying what to do, if the
  /// address cannot be had.
  /// @param what   for messages: "HTTP", "MQTT"
  /// @param home   the thread that accepts
  /// @param turns  the threads that get the sockets, one after another
  static Result<std::unique_ptr<Listener>> open(const asio::ip::tcp::endpoint& endpoint,
                                                std::string_view what, IoThread& home,
                                                std::vector<IoThread*> turns, Shared& shared,
                                                Accepted accepted);

  /// Begins to accept. Any thread.
  void start();
  /// Closes the listening socket. On the home thread.
  void close();

  const asio::ip::tcp::endpoint& endpoint() const { return endpoint_; }
  const std::string& what() const { return what_; }

 private:
  Listener(const asio::ip::tcp::endpoint& endpoint, std::string_view what, IoThread& home,
           std::vector<IoThread*> turns, Shared& shared, Accepted accepted);
  Task<void> accept();
  static bool may_warn(std::optional<Clock::time_point>& last);
  void hand_over(IoThread& thread, Socket socket);

  const asio::ip::tcp::endpoint endpoint_;
  const std::string what_;
  IoThread& home_;
  const std::vector<IoThread*> turns_;
  Shared& shared_;
  const Accepted accepted_;
  Acceptor acceptor_;
  std::optional<Clock::time_point> last_refusal_;  // that was logged, and so the other
  std::optional<Clock::time_point> last_failure_;
};

/// "127.0.0.1:1883", "[::1]:1883".
std::string shown(const asio::ip::tcp::endpoint& endpoint);

/// The other end of a socket, an IPv4 address in its own form also where it came over an IPv6
/// socket; nothing once that end has gone.
std::optional<asio::ip::tcp::endpoint> peer_of(const Socket& socket);

/// The endpoints that "an IP address or localhost" means: localhost is both loopback addresses.
std::vector<asio::ip::tcp::endpoint> endpoints_of(const std::string& address, std::uint16_t port);

}  // namespace doctor::server
