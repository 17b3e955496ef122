#include "doctor/engine/session_rules.hpp"

#include "doctor/base/crypto.hpp"
#include "doctor/document/session.hpp"

namespace doctor::engine {

Result<void> check_session(document::DocumentView session, Timestamp now) {
  const auto parsed = document::parse_session(session);
  Error failure;
  if (!parsed) {
    failure = parsed.error();
  } else if (parsed->expired(now)) {
    failure = invalid("`expires` is in the past: " + document::to_rfc3339(*parsed->expires));
    failure.field = "expires";
  } else {
    return {};
  }
  failure.id = fingerprint(session.id());
  return failure;
}

bool has_expired(document::DocumentView session, Timestamp now) {
  const auto parsed = document::parse_session(session);
  return parsed && parsed->expired(now);
}

}  // namespace doctor::engine
