#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/net/asio.hpp"

namespace doctor::net {

using Endpoint = asio::ip::tcp::endpoint;

/// "127.0.0.1:1883", "[::1]:1883".
std::string shown(const Endpoint& endpoint);

/// The other end of a socket, an IPv4 address in its own form also where it came over an IPv6
/// socket; nothing once that end has gone.
std::optional<Endpoint> peer_of(const Socket& socket);

/// The endpoints that "an IP address or localhost" means: localhost is both loopback addresses.
std::vector<Endpoint> endpoints_of(const std::string& address, std::uint16_t port);

}  // namespace doctor::net
