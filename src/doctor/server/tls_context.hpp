#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "doctor/base/result.hpp"
#include "doctor/server/tls_settings.hpp"

// OpenSSL's own names, so that its headers stay in the sources that call it.
struct ssl_st;
struct ssl_ctx_st;

namespace doctor::server {

/// One connection's TLS, on top of a socket that it does not own.
struct TlsSessionDelete {
  void operator()(ssl_st* session) const;
};
using TlsSession = std::unique_ptr<ssl_st, TlsSessionDelete>;

/// What is spoken inside, told by ALPN: a client that offers only others is refused (RFC 7301 §3.2,
/// so that no browser is led to speak to a broker); it need not offer any.
enum class TlsProtocol : std::uint8_t { http, mqtt };

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
  struct Delete {
    void operator()(ssl_ctx_st* context) const;
  };
  TlsContext();
  Result<void> read(const TlsSettings& settings, TlsProtocol protocol);
  Result<void> read_certificate(const TlsSettings& settings);
  Result<void> read_key(const TlsSettings& settings);
  Result<void> read_ca(const TlsSettings& settings);

  std::unique_ptr<ssl_ctx_st, Delete> context_;
  std::chrono::system_clock::time_point expires_{};
};

/// OpenSSL's own words for what has just failed on this thread, and forgets it.
std::string tls_reason();

}  // namespace doctor::server
