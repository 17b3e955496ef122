#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "doctor/document/commit.hpp"
#include "doctor/document/permissions.hpp"

namespace doctor::mqtt {

/// A topic name one may publish to (§4.7): not empty, no wildcards. That it is UTF-8 without
/// control characters the codec has seen to.
bool is_topic_name(std::string_view topic);
/// A topic filter (§4.7.1): not empty, `#` last and alone in its level, `+` alone in its level.
bool is_topic_filter(std::string_view filter);
bool has_wildcard(std::string_view filter);
/// Levels are what `/` parts: `a/b` has 2, `/` has 2.
std::size_t topic_levels(std::string_view topic);
/// Whether it is for a server's own purposes (§4.7.2); wildcards in the first level pass it by.
inline bool is_reserved(std::string_view topic) {
  return topic.starts_with('$');
}
/// Whether a filter asks for a shared subscription (§4.8.2), well-formed or not.
bool is_shared(std::string_view filter);

/// Where the changes of a document are announced: `{collection}/{id}` with `% / + #` of the id
/// percent-encoded.
std::string document_topic(std::string_view collection, std::string_view id);
/// Whether the document whose changes are announced at `topic` may be read: Permissions::may_read.
bool may_read_topic(const document::Permissions& permissions, std::string_view topic);

/// What is announced: `+` created, `-` removed, or the names of the changed fields with commas
/// between, where `%` and `,` are percent-encoded, and so is a payload that would be `+` or `-`.
std::string announcement_payload(const document::Change& change);

}  // namespace doctor::mqtt
