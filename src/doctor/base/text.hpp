#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace doctor {

/// Whether `text` is well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

/// Whether `text`, which must be UTF-8, holds a control character as Doctor counts them:
/// U+0000-001F, U+007F-009F and the non-characters (U+FDD0-FDEF, U+xxFFFE, U+xxFFFF).
bool has_control(std::string_view text);

/// Appends one code point as UTF-8.
void append_utf8(std::string& out, std::uint32_t code_point);

/// RFC 3986 §2.1: the octets that `%XX` stand for; nothing if a `%` is not followed by two hex
/// digits. With `plus_is_blank` a `+` is a blank, as in a query.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank = false);

/// `text` with every octet that is not unreserved in RFC 3986 as `%XX`.
std::string percent_encode(std::string_view text);

/// ASCII, any case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Without blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);

/// A decimal number of digits only, at most `max`; nothing otherwise.
std::optional<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t max);

}  // namespace doctor
