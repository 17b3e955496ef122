#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/document/view.hpp"
#include "doctor/query/order.hpp"
#include "doctor/query/plan.hpp"
#include "doctor/query/references.hpp"

namespace doctor::query {

/// Behind which document a page begins: compact JSON,
///
///   [ fingerprint of the query, "number of the document", value of each order ... ]
///
/// as plain text; it is encrypted before anybody sees it.
struct Position {
  document::DocumentNumber number;
  std::vector<SortKey> keys;  // point into the text it was parsed from
};

std::string position_text(const Plan& plan, const Entry& entry, References& references);

/// Errc::invalid unless it is the position of a page of this query.
Result<Position> parse_position(std::string_view text, const Plan& plan);

/// How long a position may be so that the cursor made of it has at most `cursor_size` bytes:
/// encrypted (a nonce of 12 bytes, a tag of 16) and in base64url.
std::size_t longest_position(std::size_t cursor_size);

}  // namespace doctor::query
