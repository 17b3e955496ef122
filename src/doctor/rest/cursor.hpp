#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/crypto.hpp"

namespace doctor::rest {

/// Cursors: where the next page of a query begins, encrypted and authenticated so that one tells
/// nothing and a changed one is noticed. The position itself tells to which query it belongs.

std::string seal_cursor(const Key& key, std::string_view position);

/// The position in a cursor; nothing if it was not made with this key, or was changed.
std::optional<std::string> open_cursor(const Key& key, std::string_view cursor);

}  // namespace doctor::rest
