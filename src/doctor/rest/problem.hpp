#pragma once

#include "doctor/base/result.hpp"
#include "doctor/rest/http.hpp"

namespace doctor::rest {

/// The status of an error: the one table.
int status_of(Errc code);

/// Makes `response` the problem document (RFC 9457) of an error: status, Content-Type, body, and
/// `Retry-After` where it belongs. Headers that were added before stay.
void render_problem(const Error& failure, Response& response);

}  // namespace doctor::rest
