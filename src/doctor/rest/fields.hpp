#pragma once

#include <forward_list>
#include <span>
#include <string>
#include <string_view>

#include "doctor/rest/http.hpp"

namespace doctor::rest {

/// The header fields that mean something to this room, found in one pass. One that was not sent has
/// no data(); one sent several times is joined with commas (RFC 9110 §5.3), so that credentials
/// sent twice are wrong.
struct Fields {
  std::string_view host{};
  std::string_view origin{};
  std::string_view secret{};
  std::string_view session{};
  std::string_view authorization{};
  std::string_view content_type{};
  std::string_view content_encoding{};
  std::string_view if_match{};
  std::string_view if_none_match{};
  std::string_view accept{};
  std::string_view accept_encoding{};
  std::string_view prefer{};
  std::string_view min_revision{};      ///< Doctor-Min-Revision
  std::string_view requested_method{};  ///< Access-Control-Request-Method
};

inline bool sent(std::string_view field) {
  return field.data() != nullptr;
}

/// @param joined  gets the texts of fields that were sent several times
Fields parse_fields(std::span<const Header> headers, std::forward_list<std::string>& joined);

}  // namespace doctor::rest
