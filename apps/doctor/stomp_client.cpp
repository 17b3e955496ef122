#include "stomp_client.hpp"

#include <iostream>

#include "command.hpp"
#include "doctor/base/text.hpp"

namespace doctor::app {
namespace {

constexpr std::uint16_t plain_port = 61'613;
constexpr std::uint16_t tls_port = 61'614;

struct Address {
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
};

// `stomp://host`, `stomps://host:port`, `stomp://[::1]:61613`.
Result<Address> parse_address(std::string_view url) {
  const Error wrong = invalid(
      "not an address like stomp://localhost:61613 or stomps://host:port: " + std::string(url));
  Address address;
  address.tls = url.starts_with("stomps://");
  if (!address.tls && !url.starts_with("stomp://")) return wrong;
  url.remove_prefix(url.find("//") + 2);
  if (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t bracket = url.starts_with('[') ? url.find(']') : 0;
  if (bracket == url.npos) return wrong;
  const std::size_t colon = url.find(':', bracket);
  std::string_view host = url.substr(0, colon);
  if (bracket != 0) host = host.substr(1, bracket - 1);
  address.host = host;
  address.port = address.tls ? tls_port : plain_port;
  if (colon != url.npos) {
    const auto port = parse_unsigned(url.substr(colon + 1), 65'535);
    if (!port || *port == 0) return wrong;
    address.port = static_cast<std::uint16_t>(*port);
  }
  if (address.host.empty()) return wrong;
  return address;
}

}  // namespace

std::shared_ptr<StompOptions> add_stomp_options(CLI::App& command) {
  auto options = std::make_shared<StompOptions>();
  command
      .add_option("--server", options->server, "the server's address for STOMP; stomps:// for TLS")
      ->envname("DOCTOR_STOMP_URL")
      ->type_name("URL")
      ->capture_default_str()
      ->group("Server");
  command.add_flag("--vdsm", options->vdsm, "the server is a host of oVirt, which needs some care")
      ->group("Server");
  add_credential_options(command, *options);
  return options;
}

Result<client::Options> stomp_options(const StompOptions& options) {
  const auto address = parse_address(options.server);
  if (!address) return address.error();
  auto secret = read_secret(options);
  if (!secret) return secret.error();
  client::Options made;
  made.host = address->host;
  made.port = address->port;
  made.peer = options.vdsm ? client::Peer::vdsm : client::Peer::doctor;
  if (address->tls) {
    made.tls = client::TlsOptions{options.tls.ca, options.tls.cert, options.tls.key, true, {}};
  }
  if (!options.session.empty()) {
    made.login = "session";
    made.passcode = options.session;
  } else if (!secret->empty()) {
    made.login = "connector";
    made.passcode = std::move(*secret);
  }
  return made;
}

void complain(const std::string& command, std::string_view text) {
  std::cerr << "doctor " << command << ": " << text << '\n';
}

int tell_failure(const std::string& command, const client::Error& failure) {
  using client::Code;
  const bool is_ours = failure.is(Code::communication) || failure.is(Code::invalid_argument);
  complain(command,
           is_ours ? failure.message : std::to_string(failure.code) + " " + failure.message);
  if (failure.is(Code::invalid_argument)) return exit_failure;
  const bool refused = !failure.data.empty();
  return failure.is(Code::communication) && !refused ? exit_unreachable : exit_failure;
}

}  // namespace doctor::app
