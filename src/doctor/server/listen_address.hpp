#pragma once

#include <string_view>

namespace doctor::server {

/// Whether a listener can have it: an IP address, or "localhost".
bool is_listen_address(std::string_view text);
/// What to say that was expected when it cannot.
inline constexpr std::string_view address_expected =
    "an IP address (\"0.0.0.0\", \"::\") or \"localhost\"";

/// Whether nobody beyond this machine can reach the address.
bool is_loopback(std::string_view address);

}  // namespace doctor::server
