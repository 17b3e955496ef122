#pragma once

#include <string>
#include <string_view>

#include "doctor/base/result.hpp"
#include "doctor/rest/http.hpp"

/// The lexical rules of HTTP that heads and chunks share (RFC 9110 §5, RFC 9112 §5).
namespace doctor::server::grammar {

inline Error malformed(std::string detail) {
  return invalid("malformed request: " + std::move(detail));
}

/// RFC 9110 §5.6.2: at least one tchar, and nothing else.
bool is_token(std::string_view text);
/// No blank and no control character of ASCII; any other octet.
bool is_visible(std::string_view text);
/// RFC 9110 §5.5: no control character of ASCII but tabs; any other octet.
bool is_field_value(std::string_view text);

/// One field line without its CR LF: a name, a colon directly behind it, a value, which is given
/// without the blanks around it. A folded line is refused.
Result<rest::Header> read_field(std::string_view line);

}  // namespace doctor::server::grammar
