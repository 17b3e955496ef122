#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/document/document.hpp"

namespace doctor::rest {

/// An entity-tag (RFC 9110 §8.8.3).
struct EntityTag {
  bool weak = false;
  std::string_view opaque;  ///< without the quotes
};

/// Reads the value of `If-Match` or `If-None-Match`: `*`, or a list of entity-tags. Allocates
/// nothing.
class EntityTags {
 public:
  explicit EntityTags(std::string_view field) : rest_(field) {}

  /// The field is just `*`.
  bool any() const;
  /// The next one; nothing at the end, or where the rest is not a list of entity-tags.
  std::optional<EntityTag> next();
  /// Whether the field broke the grammar, once `next` has given nothing.
  bool malformed() const { return malformed_; }

 private:
  std::string_view rest_;
  bool malformed_ = false;
  bool first_ = true;
};

/// What behind the revision tells the compressed form of a document: `"S-R-gzip"`.
inline constexpr std::string_view gzip_ending = "-gzip";

/// Appends `"S-R"`, the strong tag of a document in the store S that was last changed at R.
void append_document_tag(std::string& out, std::string_view store_id, document::Revision revision,
                         bool gzip);

/// The revision in the opaque part of such a tag, of the compressed form too; nothing if it is not
/// of this store.
std::optional<document::Revision> revision_of_tag(std::string_view opaque,
                                                  std::string_view store_id);

/// The opaque part of the weak tag for a reader who may read all that a query names: of the store,
/// the query and the newest revision that touched one of its collections.
std::string query_tag(std::string_view store_id, std::uint64_t query_hash,
                      document::Revision newest);
/// The opaque part of the weak tag for any other reader.
std::string answer_tag(std::uint64_t answer_hash);

}  // namespace doctor::rest
