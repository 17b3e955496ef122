#pragma once

#include <string_view>

namespace doctor::rest {

/// Whether the header `Prefer` (RFC 7240) asks for `return=minimal`: the answer's body left out. Of
/// several `return` preferences the first counts.
bool prefers_minimal(std::string_view prefer);

}  // namespace doctor::rest
