#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/crypto.hpp"

namespace doctor::rest {

/// Cursors: where the next page of a query begins, encrypted and authenticated so that one tells
/// nothing and a changed one is noticed. It belongs to one query of one collection.

std::string seal_cursor(const Key& key, std::uint64_t query_hash, std::string_view position);

/// The position in a cursor; nothing if it was not made for this query, or was changed.
std::optional<std::string> open_cursor(const Key& key, std::uint64_t query_hash,
                                       std::string_view cursor);

}  // namespace doctor::rest
