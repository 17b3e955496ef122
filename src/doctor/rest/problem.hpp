#pragma once

#include <string>
#include <string_view>

#include "doctor/base/result.hpp"
#include "doctor/rest/http.hpp"

namespace doctor::rest {

/// The status of an error: the one table.
int status_of(Errc code);

/// Errc::invalid, with the header, parameter or part of the path that it is about as `field`.
Error invalid_in(std::string_view field, std::string detail);

/// Makes `response` the problem document (RFC 9457) of an error: status, Content-Type, body, and
/// `Retry-After` where it belongs. Headers that were added before stay.
void render_problem(const Error& failure, Response& response);

}  // namespace doctor::rest
