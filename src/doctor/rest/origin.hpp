#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/result.hpp"

namespace doctor::rest {

/// Whether the `Host` of a request is one that an unsecured Doctor answers: an IP address,
/// `localhost`, or one of `allowed_hosts` (with or without port). A page of a foreign site whose
/// name was made to resolve to this machine is stopped here. Errc::forbidden naming the setting.
Result<void> check_host(std::string_view host, const std::vector<std::string>& allowed_hosts);

/// What a cross-origin answer allows.
struct OriginJudgement {
  /// For Access-Control-Allow-Origin; empty if the request is not from another origin.
  std::string_view allow{};
};

/// Judges the header `Origin`: it must be the request's own host and port (the scheme is not
/// compared), or configured. Errc::forbidden naming the setting.
/// @param origin  as sent; no data() if it was not
Result<OriginJudgement> judge_origin(std::string_view origin, std::string_view host,
                                     const std::vector<std::string>& cors_origins);

}  // namespace doctor::rest
