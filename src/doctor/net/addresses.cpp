#include "doctor/net/addresses.hpp"

namespace doctor::net {

std::string shown(const Endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const bool bracketed = endpoint.address().is_v6();
  return (bracketed ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

std::optional<Endpoint> peer_of(const Socket& socket) {
  error_code failure;
  const auto endpoint = socket.remote_endpoint(failure);
  if (failure) return std::nullopt;
  const auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return {{asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()), endpoint.port()}};
  }
  return endpoint;
}

std::vector<Endpoint> endpoints_of(const std::string& address, std::uint16_t port) {
  if (address == "localhost") {
    return {{asio::ip::address_v4::loopback(), port}, {asio::ip::address_v6::loopback(), port}};
  }
  error_code failure;
  const auto parsed = asio::ip::make_address(address, failure);
  if (failure) return {};
  return {{parsed, port}};
}

}  // namespace doctor::net
