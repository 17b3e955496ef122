#pragma once

#include <string>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/engine/command.hpp"
#include "doctor/rest/request.hpp"

namespace doctor::rest {

/// Judges the type of a body that is going to be read: Errc::unsupported_type, saying what to send.
Result<void> check_body_type(const Request& request);

/// Reads the body of a write and makes its command; notes the shape in the request. Errc::invalid
/// or too_large.
Result<engine::Command> plan_write(Request& request, std::string_view body, Timestamp now,
                                   const Limits& limits);

}  // namespace doctor::rest
