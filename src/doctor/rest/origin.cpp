#include "doctor/rest/origin.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <optional>

#include "doctor/base/text.hpp"

namespace doctor::rest {
namespace {

struct HostPort {
  std::string_view host;  // an IPv6 address without its brackets
  std::string_view port;
  bool bracketed = false;
};

std::optional<HostPort> split_host_port(std::string_view text) {
  HostPort parts;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    parts.bracketed = true;
    parts.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    parts.host = text.substr(0, text.find(':'));
    rest = text.substr(parts.host.size());
  }
  if (parts.host.empty()) return std::nullopt;
  if (rest.empty()) return parts;
  if (rest.front() != ':' || rest.find(':', 1) != std::string_view::npos) return std::nullopt;
  parts.port = rest.substr(1);
  return parts;
}

// Four numbers up to 255 between dots.
bool is_ipv4(std::string_view text) {
  for (int number = 1; number <= 4; ++number) {
    unsigned value = 0;
    std::size_t digits = 0;
    while (digits < text.size() && digits < 3 && text[digits] >= '0' && text[digits] <= '9') {
      value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
    }
    if (digits == 0 || value > 255) return false;
    text.remove_prefix(digits);
    if (number == 4) break;
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return text.empty();
}

bool is_address(const HostPort& parts) {
  if (!parts.bracketed) return is_ipv4(parts.host);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (parts.host.size() >= text.size()) return false;
  std::copy(parts.host.begin(), parts.host.end(), text.begin());
  std::array<unsigned char, 16> address;
  return inet_pton(AF_INET6, text.data(), address.data()) == 1;
}

bool same(const HostPort& a, const HostPort& b, std::string_view default_port) {
  const auto port = [&](std::string_view given) { return given.empty() ? default_port : given; };
  return a.bracketed == b.bracketed && equal_ignoring_case(a.host, b.host) &&
         port(a.port) == port(b.port);
}

bool is_own(std::string_view origin, std::string_view host) {
  const auto scheme_end = origin.find("://");
  if (scheme_end == std::string_view::npos) return false;
  const bool encrypted = equal_ignoring_case(origin.substr(0, scheme_end), "https");
  const auto of_origin = split_host_port(origin.substr(scheme_end + 3));
  const auto of_host = split_host_port(host);
  // A port that is left out is the one of the origin's scheme on both sides: the browser leaves it
  // out of both headers, and only the origin tells the scheme.
  return of_origin && of_host && same(*of_origin, *of_host, encrypted ? "443" : "80");
}

}  // namespace

Result<void> check_host(std::string_view host, const std::vector<std::string>& allowed_hosts) {
  const auto parts = split_host_port(host);
  if (parts) {
    if (is_address(*parts)) return {};
    if (!parts->bracketed && equal_ignoring_case(parts->host, "localhost")) return {};
    for (const std::string& allowed : allowed_hosts) {
      const auto wanted = split_host_port(allowed);
      if (!wanted || wanted->bracketed != parts->bracketed) continue;
      if (!equal_ignoring_case(wanted->host, parts->host)) continue;
      if (wanted->port.empty() || wanted->port == parts->port) return {};
    }
  }
  return error(Errc::forbidden,
               "Doctor runs without a secret and answers only to an IP address or localhost; the "
               "host \"" +
                   std::string(host) + "\" is not listed in the setting allowed_hosts");
}

Result<OriginJudgement> judge_origin(std::string_view origin, std::string_view host,
                                     const std::vector<std::string>& cors_origins) {
  if (origin.data() == nullptr || is_own(origin, host)) return OriginJudgement{};
  for (const std::string& allowed : cors_origins) {
    if (allowed == "*") return OriginJudgement{"*"};
    if (equal_ignoring_case(allowed, origin)) return OriginJudgement{origin};
  }
  return error(Errc::forbidden, "the origin \"" + std::string(origin) +
                                    "\" is neither this server's own nor listed in the setting "
                                    "cors_origins");
}

}  // namespace doctor::rest
