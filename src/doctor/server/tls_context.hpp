#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "doctor/base/result.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/tls_settings.hpp"

namespace doctor::server {

/// What is spoken inside, told by ALPN: a client that offers only others is refused (RFC 7301 §3.2,
/// so that no browser is led to speak to a broker); it need not offer any.
enum class TlsProtocol : std::uint8_t { http, mqtt, stomp };

/// A certificate with its key and all the rules by which a listener speaks TLS. Does not change;
/// may be used by any thread.
class TlsContext {
 public:
  /// Reads the files. Errc::invalid names the file, what is wrong with it and what to do.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsSettings& settings,
                                                        TlsProtocol protocol);

  /// The server's end of a new connection, on a socket that does not block; it may outlive the
  /// context. Null without memory.
  TlsSession begin(int socket) const;

  /// When the certificate ceases to be valid.
  std::chrono::system_clock::time_point expires() const { return expires_; }

 private:
  explicit TlsContext(TlsSetup setup) : setup_(std::move(setup)) {}
  Result<void> read(const TlsSettings& settings, TlsProtocol protocol);
  Result<void> read_ca(const TlsSettings& settings);

  TlsSetup setup_;
  std::chrono::system_clock::time_point expires_{};
};

}  // namespace doctor::server
