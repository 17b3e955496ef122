#include "doctor/server/listen_address.hpp"

#include <arpa/inet.h>
#include <string>

namespace doctor::server {
namespace {

bool is_address(std::string_view text) {
  in6_addr any{};
  const std::string address(text);
  return inet_pton(AF_INET, address.c_str(), &any) == 1 ||
         inet_pton(AF_INET6, address.c_str(), &any) == 1;
}

}  // namespace

bool is_listen_address(std::string_view text) {
  return text == "localhost" || is_address(text);
}

bool is_loopback(std::string_view address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

}  // namespace doctor::server
