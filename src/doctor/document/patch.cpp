// Patches of documents: declared in document.hpp.

#include "doctor/json/patch.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "doctor/document/builder.hpp"
#include "doctor/document/difference.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"

namespace doctor::document {
namespace {

// A value in a JSON Patch stands in an operation, which stands in an array: two levels more.
std::uint32_t nesting_of(PatchKind kind, const Limits& limits) {
  return limits.nesting + (kind == PatchKind::json_patch ? 2 : 0);
}

Result<json::Patched> patched(PatchKind kind, std::string_view target, std::string_view patch,
                              const Limits& limits) {
  switch (kind) {
    case PatchKind::shallow:
      return json::shallow_patch(target, patch);
    case PatchKind::merge:
      return json::merge_patch(target, patch);
    case PatchKind::json_patch:
      break;
  }
  return json::json_patch(target, patch, limits);
}

// The names that differ, in the order of `touched`, those that are gone last.
std::vector<std::string> in_order(const Difference& difference,
                                  const std::vector<std::string>& touched) {
  const std::set<std::string_view> differing(difference.differing.begin(),
                                             difference.differing.end());
  const std::set<std::string_view> dropped(difference.dropped.begin(), difference.dropped.end());
  std::vector<std::string> ordered;
  for (const auto* names : {&differing, &dropped}) {
    std::copy_if(touched.begin(), touched.end(), std::back_inserter(ordered),
                 [&](const std::string& name) { return names->contains(name); });
  }
  return ordered;
}

}  // namespace

Result<Patch> Patch::parse(PatchKind kind, std::string_view body, const Limits& limits) {
  auto text = json::compact(body, nesting_of(kind, limits));
  if (!text) return text.error();
  if (kind == PatchKind::json_patch) {
    if (auto checked = json::check_json_patch(*text, limits); !checked) return checked.error();
  } else if (text->front() != '{') {
    return invalid(kind == PatchKind::merge ? "a merge patch of a document is an object"
                                            : "a patch is an object with the fields to set");
  }
  return Patch(kind, std::move(*text));
}

Result<Patch::Patched> Patch::apply(DocumentView before, IdRule rule, const Limits& limits) const {
  auto result = patched(kind_, before.text(), text_, limits);
  if (!result) return result.error();
  Builder builder(rule, limits);
  builder.take_checked(result->object);
  auto document = builder.finish(std::nullopt);
  if (!document) return document.error();
  if (document->view().id_value() != before.id_value()) {
    Error failure = invalid("the id of a document cannot be changed");
    failure.field = "id";
    return failure;
  }
  const Difference found = difference(before, document->view());
  return Patched{std::move(*document), in_order(found, result->touched)};
}

}  // namespace doctor::document
