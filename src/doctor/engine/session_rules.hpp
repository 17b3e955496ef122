#pragma once

#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/document.hpp"

namespace doctor::engine {

/// What is asked of a session beyond the form of a document (page 4): permissions of a known shape,
/// an `expires` that is not in the past. Errc::invalid naming the field; the session is named by
/// its fingerprint only, because its id is a secret.
Result<void> check_session(document::DocumentView session, Timestamp now);

bool has_expired(document::DocumentView session, Timestamp now);

}  // namespace doctor::engine
