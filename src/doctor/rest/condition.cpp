#include "doctor/rest/condition.hpp"

#include <algorithm>

#include "doctor/base/text.hpp"
#include "doctor/rest/entity_tag.hpp"
#include "doctor/rest/problem.hpp"

namespace doctor::rest {
namespace {

Error malformed(std::string_view name) {
  return invalid_in(name,
                    std::string(name) + " must be * or a list of entity-tags such as \"...\"");
}

}  // namespace

Result<engine::Precondition> write_precondition(const Fields& fields, std::string_view store_id) {
  engine::Precondition precondition;
  if (sent(fields.if_match)) {
    auto& revisions = precondition.match.emplace();
    EntityTags tags(fields.if_match);
    if (!tags.any()) {
      while (const auto tag = tags.next()) {
        // A weak tag never matches here (RFC 9110 §13.1.1), nor does one of another store: 0 is the
        // revision of no document, and keeps the list from being empty, which would mean `*`.
        const auto revision = tag->weak ? std::nullopt : revision_of_tag(tag->opaque, store_id);
        revisions.push_back(revision.value_or(document::Revision{0}));
      }
      if (tags.malformed()) return malformed("If-Match");
    }
  }
  if (sent(fields.if_none_match)) {
    if (!EntityTags(fields.if_none_match).any()) {
      return invalid_in("If-None-Match", "If-None-Match on a write takes only *");
    }
    precondition.must_be_new = true;
  }
  return precondition;
}

bool holds(const engine::Precondition& precondition, std::optional<document::Revision> revision) {
  if (precondition.must_be_new && revision) return false;
  if (!precondition.match) return true;
  if (!revision) return false;
  const auto& wanted = *precondition.match;
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), *revision) != wanted.end();
}

bool AnswerTag::same(std::string_view opaque) const {
  return revision_ ? revision_of_tag(opaque, store_id_) == revision_ : opaque == opaque_;
}

bool AnswerTag::meets_if_match(const Fields& fields) const {
  if (!sent(fields.if_match)) return true;
  EntityTags tags(fields.if_match);
  if (tags.any()) return true;
  while (const auto tag = tags.next()) {
    if (revision_ && !tag->weak && same(tag->opaque)) return true;
  }
  return false;
}

std::optional<std::string_view> AnswerTag::matched(const Fields& fields) const {
  if (!sent(fields.if_none_match)) return std::nullopt;
  EntityTags tags(fields.if_none_match);
  if (tags.any()) return opaque_;
  while (const auto tag = tags.next()) {
    if (same(tag->opaque)) return tag->opaque;
  }
  return std::nullopt;
}

}  // namespace doctor::rest
