#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"
#include "doctor/document/document.hpp"
#include "doctor/rest/http.hpp"
#include "doctor/rest/request.hpp"

namespace doctor::rest {

/// An answer's headers that depend only on what was asked: caching, `Vary`, and CORS.
Response begin_answer(const Request& request);

/// `Doctor-Revision`, for those who were let in.
void add_revision(Response& response, document::Revision revision);

/// The problem document of an error, to a caller who was let in, at the given revision.
Response problem_answer(const Request& request, const Error& failure, document::Revision revision);

/// The same with the revision at which the request was let in: the store was at least that far.
Response problem_answer(const Request& request, const Error& failure);

/// Compresses the body if the client accepts it and it pays; whether it did.
bool compress(const Request& request, Response& response);

}  // namespace doctor::rest
