#pragma once

#include <string>

#include "doctor/base/crypto.hpp"
#include "doctor/base/result.hpp"
#include "doctor/rest/query_cache.hpp"
#include "doctor/rest/request.hpp"

namespace doctor::rest {

/// Whether the query of a read comes in its body: it may have one, and no `q` wins over it.
bool takes_query_body(const Request& request);

/// Judges what a read asks: `Doctor-Min-Revision`, the query, and its cursor; and notes them in the
/// request. Errc::invalid or too_large.
Result<void> plan_read(Request& request, std::string body, QueryCache& queries,
                       const Key& cursor_key);

/// The collections that `GET /export` names in its parameters `collection`.
Result<std::vector<std::string>> export_collections(const Request& request);

}  // namespace doctor::rest
