#include "doctor/rest/cursor.hpp"

#include <cstring>

namespace doctor::rest {

// Sealed is: the hash of the query, 8 bytes; the position.

std::string seal_cursor(const Key& key, std::uint64_t query_hash, std::string_view position) {
  std::string plain(sizeof query_hash, '\0');
  std::memcpy(plain.data(), &query_hash, sizeof query_hash);
  plain += position;
  return base64url(seal(key, plain));
}

std::optional<std::string> open_cursor(const Key& key, std::uint64_t query_hash,
                                       std::string_view cursor) {
  const auto sealed = base64url_decode(cursor);
  if (!sealed) return std::nullopt;
  auto plain = open_sealed(key, *sealed);
  if (!plain || plain->size() < sizeof query_hash) return std::nullopt;
  if (std::memcmp(plain->data(), &query_hash, sizeof query_hash) != 0) return std::nullopt;
  return plain->substr(sizeof query_hash);
}

}  // namespace doctor::rest
