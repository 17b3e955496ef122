#include "doctor/rest/cursor.hpp"

namespace doctor::rest {

std::string seal_cursor(const Key& key, std::string_view position) {
  return base64url(seal(key, position));
}

std::optional<std::string> open_cursor(const Key& key, std::string_view cursor) {
  const auto sealed = base64url_decode(cursor);
  return sealed ? open_sealed(key, *sealed) : std::nullopt;
}

}  // namespace doctor::rest
