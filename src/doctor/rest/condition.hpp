#pragma once

#include <optional>
#include <string_view>

#include "doctor/base/result.hpp"
#include "doctor/document/document.hpp"
#include "doctor/engine/command.hpp"
#include "doctor/rest/fields.hpp"

namespace doctor::rest {

inline bool has_condition(const Fields& fields) {
  return sent(fields.if_match) || sent(fields.if_none_match);
}

/// `If-Match` and `If-None-Match: *` of a write of one document. Errc::invalid if one is not what
/// RFC 9110 §13.1 says, or if `If-None-Match` is another than `*`.
Result<engine::Precondition> write_precondition(const Fields& fields, std::string_view store_id);

/// Whether it holds for a document that was last changed at `revision`, or that is not there.
bool holds(const engine::Precondition& precondition, std::optional<document::Revision> revision);

/// The entity-tag of an answer as the conditions of a read compare it: that of a whole document by
/// its revision, whatever its encoding; any other by its opaque part.
class AnswerTag {
 public:
  AnswerTag(std::string_view store_id, document::Revision revision)
      : store_id_(store_id), revision_(revision) {}
  explicit AnswerTag(std::string_view weak_opaque) : opaque_(weak_opaque) {}

  /// `If-Match` (strong comparison): whether it holds, or was not sent.
  bool meets_if_match(const Fields& fields) const;

  /// `If-None-Match` (weak comparison): the opaque part that matched, as it was sent; for `*` this
  /// tag's own, empty for a document. Then the answer is 304. Nothing if none did, if the field was
  /// not sent or is not a list of entity-tags: a read without its condition does no harm.
  std::optional<std::string_view> matched(const Fields& fields) const;

 private:
  bool same(std::string_view opaque) const;

  std::string_view store_id_{};
  std::optional<document::Revision> revision_{};
  std::string_view opaque_{};
};

}  // namespace doctor::rest
