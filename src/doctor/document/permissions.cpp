#include "doctor/document/permissions.hpp"

#include "doctor/document/names.hpp"
#include "doctor/json/value.hpp"

namespace doctor::document {
namespace {

Error fault(std::string detail) {
  Error failure = invalid(std::move(detail));
  failure.field = "permissions";
  return failure;
}

// A longer name is not repeated.
constexpr std::size_t longest_shown = 80;

bool is_star(std::string_view value) {
  return json::equal(value, "\"*\"");
}

// An id as permissions for a collection may spell it: a string, or an integer, which stands for its
// text.
Result<std::string> read_id(std::string_view value, const std::string& collection) {
  std::string id;
  if (json::is_string(value)) {
    id = json::unescape(json::content(value));
  } else if (json::kind(value) == json::Kind::number &&
             value.find_first_not_of("-0123456789") == std::string_view::npos) {
    id = value == "-0" ? "0" : std::string(value);
  } else {
    return fault("in permissions, an id of " + collection + " is a string or an integer");
  }
  if (!is_document_id(id)) {
    return fault("in permissions, an id of " + collection +
                 " has 1 to 255 bytes and no control characters");
  }
  return id;
}

}  // namespace

Permissions Permissions::everything() {
  Permissions all;
  all.everything_ = true;
  return all;
}

Result<Permissions> Permissions::parse(std::string_view value) {
  if (is_star(value)) return everything();
  if (json::kind(value) != json::Kind::object) {
    return fault("permissions are \"*\" or an object from collection name to ids");
  }
  Permissions permissions;
  for (const json::Member& member : json::Members(value)) {
    const std::string collection = json::unescape(member.name);
    if (!is_collection_name(collection)) {
      const std::string name =
          collection.size() <= longest_shown ? json::quoted(collection) : "one of the names";
      return fault("permissions are by collection, and " + name +
                   " is not the name of one: 1 to 64 of A-Z a-z 0-9 _ -");
    }
    std::optional<Ids>& ids = permissions.collections_[collection];
    if (is_star(member.value)) continue;
    ids.emplace();
    if (json::kind(member.value) == json::Kind::array) {
      for (const std::string_view element : json::Elements(member.value)) {
        auto id = read_id(element, collection);
        if (!id) return id.error();
        ids->insert(std::move(*id));
      }
    } else {
      auto id = read_id(member.value, collection);
      if (!id) return id.error();
      ids->insert(std::move(*id));
    }
  }
  return permissions;
}

std::string Permissions::text() const {
  if (everything_) return "\"*\"";
  std::string out = "{";
  for (const auto& [collection, ids] : collections_) {
    if (out.size() > 1) out += ',';
    out += json::quoted(collection) + ':';
    if (!ids) {
      out += "\"*\"";
      continue;
    }
    out += '[';
    for (const std::string& id : *ids) {
      if (out.back() != '[') out += ',';
      out += json::quoted(id);
    }
    out += ']';
  }
  return out += '}';
}

bool Permissions::may_read(std::string_view collection, std::string_view id) const {
  if (everything_) return true;
  const auto found = collections_.find(collection);
  if (found == collections_.end()) return false;
  const std::optional<Ids>& ids = found->second;
  return !ids || ids->contains(id);
}

bool Permissions::reads_all_of(std::string_view collection) const {
  if (everything_) return true;
  const auto found = collections_.find(collection);
  return found != collections_.end() && !found->second;
}

const Permissions::Ids* Permissions::listed(std::string_view collection) const {
  const auto found = collections_.find(collection);
  return found == collections_.end() || !found->second ? nullptr : &*found->second;
}

}  // namespace doctor::document
