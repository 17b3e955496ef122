#pragma once

#include <string>
#include <vector>

struct ssl_st;

namespace doctor::net {

/// Whom the certificate that the peer of a TLS session has shown names: the last common name of its
/// subject, then its subject alternative names that are DNS names or addresses (RFC 6125, as text).
/// Empty if it has shown none. Whether it is good was judged in the handshake.
std::vector<std::string> peer_names(const ssl_st& session);

}  // namespace doctor::net
