#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"

namespace doctor::document {

/// 1 to 64 of `A-Z a-z 0-9 _ -`.
bool is_collection_name(std::string_view name);

/// Where sessions live: a collection whose name no request can name, so that they share the
/// revision order, the diff and the store with documents and are never seen among them.
inline constexpr std::string_view sessions_collection = "$sessions";

/// 1 to 255 bytes of UTF-8 without control characters.
bool is_document_id(std::string_view id);
/// 1 to 255 visible ASCII characters (0x21-0x7E).
bool is_session_id(std::string_view id);

/// Whether a top-level field may have this (unescaped) name: 1 to 255 bytes, no `.`, no `@`, no
/// control character, not beginning with `_` or `$`. Errc::invalid with the field and the reason.
Result<void> check_field_name(std::string_view name);

/// The name of a field, ready to be looked up in many documents.
class FieldName {
 public:
  explicit FieldName(std::string_view name);
  const std::string& name() const { return name_; }
  /// As it stands in a document's text: escaped in the one minimal way (json::append_string).
  const std::string& spelling() const { return spelling_; }
  std::uint16_t hash() const { return hash_; }
  friend bool operator==(const FieldName& a, const FieldName& b) { return a.name_ == b.name_; }

 private:
  std::string name_;
  std::string spelling_;
  std::uint16_t hash_;
};

/// The hash that a document's table keeps of each name's spelling.
std::uint16_t field_hash(std::string_view spelling);

}  // namespace doctor::document
