#pragma once

#include "doctor/rest/http.hpp"
#include "doctor/rpc/service.hpp"

namespace doctor::rpc {

/// What the answer to a request of the document API makes of the call behind it: a result with the
/// answer's revision, or an error with its status, its detail and the problem document as `data`.
///
/// @param room  what a write has done is told in full only if it fits
Answer answer_of(const Method& method, const rest::Response& response, std::size_t room = SIZE_MAX);

/// What the problem document of an error says.
events::RpcError error_of(const rest::Response& problem);

}  // namespace doctor::rpc
