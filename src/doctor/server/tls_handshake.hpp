#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "doctor/server/deadlines.hpp"
#include "doctor/server/listener.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/tls_endpoint.hpp"

namespace doctor::server {

/// A socket between being accepted and being a connection: does the server's part of the TLS
/// handshake, step by step as octets come, within `tls_handshake_timeout`. Belongs to one I/O
/// thread; the coroutine `run` keeps it alive.
class TlsHandshake final : public Watched, public std::enable_shared_from_this<TlsHandshake> {
 public:
  /// @param done  gets the stream, once there is one; with `endpoint` and `shared` it outlives this
  TlsHandshake(IoThread& thread, Shared& shared, TlsEndpoint& endpoint, Socket socket,
               std::string peer, Share place, const Listener::Accepted& done);
  void start();

  void expired() override;
  void wind_up() override { abort(); }
  void abort() override;

 private:
  enum class Step : std::uint8_t { done, wait_to_read, wait_to_write, failed };

  Task<void> run();
  Step advance();
  void note_failure(bool gone);
  Task<void> refuse();

  IoThread& thread_;
  Shared& shared_;
  TlsEndpoint& endpoint_;
  Socket socket_;
  TlsSession tls_;
  std::string peer_;
  Share place_;
  const Listener::Accepted& done_;
  bool timed_out_ = false;
  bool spoke_http_ = false;  // the client, without TLS
};

/// Says so, once a minute, if a client begins a TLS handshake on a stream that has no TLS.
/// @param octets  the first that it sent
void note_misplaced_tls(Shared& shared, const Stream& stream, std::string_view octets);

}  // namespace doctor::server
