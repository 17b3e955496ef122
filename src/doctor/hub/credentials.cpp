#include "doctor/hub/credentials.hpp"

#include <algorithm>

namespace doctor::hub {

std::optional<document::Principal> log_in(const stomp::Credentials& credentials,
                                          const Authority& authority,
                                          const std::vector<std::string>& connectors) {
  using document::Principal;
  if (credentials.login == "session" && credentials.passcode) {
    if (auto session = authority.session(*credentials.passcode)) {
      return Principal{Principal::Kind::session, std::move(session)};
    }
  }
  if (!authority.secured) return Principal{Principal::Kind::anyone, nullptr};
  const Principal connector{Principal::Kind::connector, nullptr};
  if (credentials.login == "connector" && credentials.passcode &&
      authority.is_secret(*credentials.passcode)) {
    return connector;
  }
  // Wrong words are refused whatever else is shown, as over HTTP.
  const bool says_nothing = !credentials.login && !credentials.passcode;
  const bool is_known =
      credentials.certificate &&
      std::find(connectors.begin(), connectors.end(), *credentials.certificate) != connectors.end();
  if (says_nothing && is_known) return connector;
  return std::nullopt;
}

}  // namespace doctor::hub
