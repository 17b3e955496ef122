#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"

namespace doctor::rest {

/// Whether the header `Accept-Encoding` (RFC 9110 §12.5.3) allows gzip: by name, or by `*`, with a
/// weight that is not zero.
bool accepts_gzip(std::string_view accept_encoding);

/// A shorter body is sent as it is: it fits in one packet anyway.
inline constexpr std::size_t compression_min = 1500;
/// A longer one too: two copies of it would be held in memory.
inline constexpr std::size_t compression_max = 64u << 20;

/// The body as gzip (RFC 1952), if its size is within the bounds above and it becomes at least an
/// eighth shorter.
std::optional<std::string> gzip(std::string_view body);

/// What a body in gzip is. Errc::invalid if it is not gzip, or not one whole member of it;
/// Errc::too_large if it is longer than `size_max`.
Result<std::string> gunzip(std::string_view body, std::size_t size_max);

}  // namespace doctor::rest
