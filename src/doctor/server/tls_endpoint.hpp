#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "doctor/server/paced_warning.hpp"
#include "doctor/server/tls_context.hpp"

namespace doctor::server {

/// TLS as one kind of listener speaks it: the certificate of the moment, and what came of its
/// handshakes. Any thread.
class TlsEndpoint {
 public:
  /// @param name  as in the settings and metrics: "api", "mqtt"
  /// As TlsContext::load.
  static Result<std::unique_ptr<TlsEndpoint>> open(std::string_view name, TlsProtocol protocol,
                                                   const TlsSettings& settings);

  /// Reads the files again: for handshakes that begin from now on. On an error all stays as it was.
  Result<void> reload(const TlsSettings& settings);

  const std::string& name() const { return name_; }
  std::shared_ptr<const TlsContext> context() const;

  struct Handshakes {
    std::atomic<std::uint64_t> done{0};
    std::atomic<std::uint64_t> failed{0};
    std::atomic<std::uint64_t> timed_out{0};
  };
  Handshakes& handshakes() { return handshakes_; }
  const Handshakes& handshakes() const { return handshakes_; }

  /// Counts a handshake that failed and says so.
  /// @param why  empty: the peer went without a word, as those do who only look whether the port
  ///             is open; nobody is told of them
  void failed(std::string_view peer, std::string_view why, bool timed_out);

 private:
  TlsEndpoint(std::string_view name, TlsProtocol protocol) : name_(name), protocol_(protocol) {}

  const std::string name_;
  const TlsProtocol protocol_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> context_;  // guarded by mutex_
  Handshakes handshakes_;
  PacedWarning failures_;
};

}  // namespace doctor::server
