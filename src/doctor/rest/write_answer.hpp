#pragma once

#include <string_view>

#include "doctor/engine/command.hpp"
#include "doctor/rest/http.hpp"
#include "doctor/rest/request.hpp"

namespace doctor::rest {

/// The answer to a write that was done: what changed, by id, unless the client prefers it without.
Response answer_write(const Request& request, const engine::Outcome& outcome,
                      std::string_view store_id);

}  // namespace doctor::rest
