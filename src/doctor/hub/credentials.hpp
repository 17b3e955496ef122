#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/document/session.hpp"
#include "doctor/stomp/application.hpp"

namespace doctor::hub {

/// What a login is held against.
struct Authority {
  bool secured = false;
  std::function<bool(std::string_view)> is_secret;
  /// A session that is known and has not expired; else null.
  std::function<std::shared_ptr<const document::Session>(std::string_view id)> session;
};

/// Who the credentials make of a client, or nothing: refused. `login:session` is a session, if the
/// passcode is its id; `login:connector` the connector, if it is the secret. Who sends neither
/// login nor passcode, but has shown a certificate with a name in `connectors`, is the connector
/// too. Without a secret, all else is anyone.
std::optional<document::Principal> log_in(const stomp::Credentials& credentials,
                                          const Authority& authority,
                                          const std::vector<std::string>& connectors);

}  // namespace doctor::hub
