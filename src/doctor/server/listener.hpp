#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/server/io_thread.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/paced_warning.hpp"
#include "doctor/server/shared.hpp"
#include "doctor/server/tls_endpoint.hpp"

namespace doctor::server {

/// One listening socket. What it accepts goes to I/O threads in turn, those under TLS once their
/// handshake is done.
class Listener {
 public:
  /// Called on the I/O thread that the stream belongs to from now on.
  using Accepted =
      std::function<void(IoThread& thread, Stream stream, std::string peer, Share place)>;

  /// What it listens for.
  struct Service {
    std::string what;              ///< for messages: "HTTP", "MQTT"
    std::vector<IoThread*> turns;  ///< the threads that get the connections, one after another
    TlsEndpoint* tls;              ///< null: plain
    Accepted accepted;
  };

  /// Binds and listens; nothing is accepted yet. Errc::unavailable, saying what to do, if the
  /// address cannot be had.
  /// @param home  the thread that accepts
  static Result<std::unique_ptr<Listener>> open(const asio::ip::tcp::endpoint& endpoint,
                                                Service service, IoThread& home, Shared& shared);

  /// Begins to accept. Any thread.
  void start();
  /// Closes the listening socket. On the home thread.
  void close();

  const asio::ip::tcp::endpoint& endpoint() const { return endpoint_; }
  const std::string& what() const { return service_.what; }

 private:
  Listener(const asio::ip::tcp::endpoint& endpoint, Service service, IoThread& home,
           Shared& shared);
  Task<void> accept();
  void hand_over(IoThread& thread, Socket socket);

  const asio::ip::tcp::endpoint endpoint_;
  const Service service_;
  IoThread& home_;
  Shared& shared_;
  Acceptor acceptor_;
  PacedWarning refusals_;
  PacedWarning failures_;
};

}  // namespace doctor::server
