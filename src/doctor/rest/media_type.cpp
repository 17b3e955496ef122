#include "doctor/rest/media_type.hpp"

#include "doctor/base/text.hpp"
#include "doctor/rest/list_field.hpp"

namespace doctor::rest {
namespace {

std::string_view without_parameters(std::string_view content_type) {
  return trimmed(content_type.substr(0, content_type.find(';')));
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

}  // namespace

bool is_json_type(std::string_view content_type) {
  const std::string_view type = without_parameters(content_type);
  constexpr std::string_view application = "application/";
  if (type.empty() || equal_ignoring_case(type, "application/json")) return true;
  return type.size() > application.size() + 5 &&
         equal_ignoring_case(type.substr(0, application.size()), application) &&
         ends_with_ignoring_case(type, "+json");
}

std::optional<document::PatchKind> patch_kind(std::string_view content_type) {
  using Kind = document::PatchKind;
  const std::string_view type = without_parameters(content_type);
  if (type.empty()) return Kind::shallow;
  for (const Kind kind : {Kind::shallow, Kind::merge, Kind::json_patch}) {
    if (equal_ignoring_case(type, type_of(kind))) return kind;
  }
  return std::nullopt;
}

std::string_view type_of(document::PatchKind kind) {
  switch (kind) {
    case document::PatchKind::shallow:
      break;
    case document::PatchKind::merge:
      return "application/merge-patch+json";
    case document::PatchKind::json_patch:
      return "application/json-patch+json";
  }
  return "application/json";
}

bool accepts(std::string_view accept, std::string_view type, std::string_view subtype) {
  if (accept.empty() || accept == "*/*") return true;
  int specificity = -1;
  bool allowed = false;
  ListField ranges(accept);
  while (const auto range = ranges.next()) {
    const auto slash = range->value.find('/');
    if (slash == std::string_view::npos) continue;
    const std::string_view main = range->value.substr(0, slash);
    const std::string_view sub = range->value.substr(slash + 1);
    int matched = -1;
    if (main == "*" && sub == "*") {
      matched = 0;
    } else if (equal_ignoring_case(main, type) && sub == "*") {
      matched = 1;
    } else if (equal_ignoring_case(main, type) && equal_ignoring_case(sub, subtype)) {
      matched = 2;
    }
    if (matched > specificity) {
      specificity = matched;
      allowed = !is_weight_zero(range->parameters);
    }
  }
  return allowed;
}

}  // namespace doctor::rest
