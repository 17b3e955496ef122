#pragma once

#include <string>

#include "doctor/base/result.hpp"
#include "doctor/client/options.hpp"
#include "doctor/net/tls_session.hpp"

namespace doctor::client {

/// What sessions with one server have in common. As `net::use_certificate` on failure.
Result<net::TlsSetup> load_tls(const TlsOptions& options);

/// The client's end of a new connection, on a socket that does not block. Its handshake fails if
/// the server's certificate is not trusted, or not for its name while that is checked.
/// @param host  as Options::host
/// @return null without memory
net::TlsSession begin_tls(ssl_ctx_st& setup, const TlsOptions& options, const std::string& host,
                          int socket);

/// Why a handshake has just failed, for a person.
std::string why_handshake_failed(const ssl_st& session);

}  // namespace doctor::client
