#include <algorithm>

#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"
#include "import.hpp"

namespace doctor::app {
namespace {

/// The value of the member with that name; empty if there is none.
std::string_view find(std::string_view object, std::string_view name) {
  for (const json::Member& member : json::Members(object))
    if (json::unescape(member.name) == name) return member.value;
  return {};
}

/// The object with `id` from another field, and without the dropped ones.
Result<std::string> reshape(std::string_view object, const ImportRules& rules) {
  std::string out = "{";
  if (!rules.id.empty()) {
    const std::string_view id = find(object, rules.id);
    if (id.empty()) return invalid("there is no field " + rules.id + " to take the id from");
    out.append("\"id\":").append(id);
  }
  for (const json::Member& member : json::Members(object)) {
    const std::string name = json::unescape(member.name);
    if (std::ranges::find(rules.drop, name) != rules.drop.end()) continue;
    if (!rules.id.empty() && name == "id") continue;
    if (out.size() > 1) out += ',';
    out.append("\"").append(member.name).append("\":").append(member.value);
  }
  return out + "}";
}

}  // namespace

Result<Document> make_document(std::string_view object, const ImportRules& rules) {
  // The line of an export has one level of braces more than its document.
  auto compact = json::compact(object, Limits{}.nesting + 1);
  if (!compact) return compact.error();
  Document made{rules.collection, std::move(*compact)};
  if (rules.collection.empty()) {
    const std::string_view collection = find(made.text, "collection");
    const std::string_view document = find(made.text, "document");
    if (collection.empty() || document.empty() || !json::is_string(collection) ||
        json::kind(document) != json::Kind::object)
      return invalid(
          R"(expected {"collection": "...", "document": {...}}; for plain documents say --collection)");
    made = {json::unescape(json::content(collection)), std::string(document)};
  }
  if (!rules.id.empty() || !rules.drop.empty()) {
    auto shaped = reshape(made.text, rules);
    if (!shaped) return shaped.error();
    made.text = std::move(*shaped);
  }
  return made;
}

void Batch::add(std::string_view document, std::uint64_t line) {
  body_ += starts_.empty() ? '[' : ',';
  starts_.push_back({body_.size(), line});
  body_ += document;
}

void Batch::clear() {
  body_.clear();
  starts_.clear();
}

std::uint64_t Batch::line_of_offset(std::uint64_t offset) const {
  const auto behind = std::ranges::upper_bound(starts_, offset, {}, &Start::offset);
  return behind == starts_.begin() ? 0 : std::prev(behind)->line;
}

std::uint64_t Batch::line_of_id(std::string_view id) const {
  std::size_t index = 0;
  std::uint64_t line = 0;
  const std::string array = body();
  // The last one: where an id stands twice, the second is the one too many.
  for (const std::string_view document : json::Elements(array)) {
    const std::string_view value = find(document, "id");
    if (!value.empty() &&
        (json::is_string(value) ? json::unescape(json::content(value)) : std::string(value)) == id)
      line = starts_[index].line;
    ++index;
  }
  return line;
}

}  // namespace doctor::app
