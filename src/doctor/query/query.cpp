#include "doctor/query/query.hpp"

#include <algorithm>
#include <array>

#include "doctor/base/crypto.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"
#include "doctor/query/parse.hpp"

namespace doctor::query {
namespace {

constexpr std::array<std::string_view, 7> list_keys = {"select", "where", "orderBy", "limit",
                                                       "skip",   "count", "after"};
constexpr std::array<std::string_view, 1> single_keys = {"select"};

Object whole_documents() {
  Object object;
  object.whole = true;
  return object;
}

std::shared_ptr<const Plan> no_query() {
  static const std::shared_ptr<const Plan> plan = [] {
    auto made = std::make_shared<Plan>();
    made->select = whole_documents();
    return made;
  }();
  return plan;
}

// How deep the brackets of a text stand in each other, so that the bound is named before anybody
// goes down there. Of text that is no JSON it may say anything.
std::size_t nesting_of(std::string_view text) {
  std::size_t open = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++open);
    } else if ((c == '}' || c == ']') && open > 0) {
      --open;
    }
  }
  return deepest;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// The same for all spellings of a query that differ in `after`, blanks or the order of its keys.
std::uint64_t fingerprint_of(const MemberMap& members, std::string_view collection) {
  std::string text(collection);
  for (const auto& [name, value] : members) {
    if (name != "after") text.append("\n").append(name).append(":").append(value);
  }
  return hash64(text);
}

Result<void> parse_into(Plan& plan, const MemberMap& members, Builder& builder) {
  if (const auto select = members.find("select"); select != members.end()) {
    const Place place("select");
    std::vector<Chain> chains;
    if (auto parsed = parse_select(select->second, place, 0, 1, builder, chains); !parsed) {
      return parsed.error();
    }
    auto object = make_object(std::move(chains), place, builder);
    if (!object) return object.error();
    plan.select = std::move(*object);
  }
  auto list = parse_refinement(members, Place(""), 0, 1, builder);
  if (!list) return list.error();
  plan.list = std::move(*list);
  if (const auto count = members.find("count"); count != members.end()) {
    if (json::kind(count->second) != json::Kind::boolean) {
      return wrong(Place("count"),
                   "count is true or false, not " + std::string(kind_name(count->second)));
    }
    plan.count = count->second == "true";
  }
  if (const auto after = members.find("after"); after != members.end()) {
    auto cursor = parse_name(after->second, Place("after"));
    if (!cursor) return cursor.error();
    plan.after = std::move(*cursor);
  }
  return {};
}

}  // namespace

Query::Query() : plan_(no_query()) {}

Result<Query> Query::parse(std::string_view text, std::string_view collection, bool single,
                           const Limits& limits) {
  if (text.size() > limits.query_text) {
    return error(Errc::too_large, "the query has " + std::to_string(text.size()) +
                                      " bytes, more than " + std::to_string(limits.query_text) +
                                      " (limit query_text)");
  }
  auto plan = std::make_shared<Plan>();
  plan->select = whole_documents();
  Builder builder(*plan, limits);
  builder.slot(collection);
  MemberMap members;
  if (!is_blank(text)) {
    if (nesting_of(text) > limits.query_nesting) {
      return invalid("the query is nested deeper than " + std::to_string(limits.query_nesting) +
                     " levels (limit query_nesting)");
    }
    auto compact = json::compact(text, limits.query_nesting);
    if (!compact) return compact.error();
    plan->text = std::move(*compact);
    if (plan->text == "null") plan->text.clear();
  }
  if (!plan->text.empty()) {
    if (json::kind(plan->text) != json::Kind::object) {
      return invalid("a query is a JSON object, not " + std::string(kind_name(plan->text)));
    }
    const auto keys = single ? std::span<const std::string_view>(single_keys) : list_keys;
    auto parsed = parse_members(plan->text, Place(""), keys);
    if (!parsed) {
      Error failure = parsed.error();
      if (single) {
        failure.detail =
            shown(failure.field) + " is not for a single document, which takes select alone";
      }
      return failure;
    }
    members = std::move(*parsed);
    if (auto filled = parse_into(*plan, members, builder); !filled) return filled.error();
  }
  plan->is_plain = members.empty();
  plan->fingerprint = fingerprint_of(members, collection);
  Query query;
  query.plan_ = std::move(plan);
  return query;
}

const std::set<std::string>& Query::collections() const {
  return plan_->collection_names;
}

bool Query::is_plain() const {
  return plan_->is_plain;
}

const std::optional<std::string>& Query::after() const {
  return plan_->after;
}

std::string Query::text_after(std::string_view cursor) const {
  std::string text = "{";
  if (!plan_->text.empty()) {
    for (const json::Member& member : json::Members(plan_->text)) {
      if (json::unescape(member.name) == "after") continue;
      text.append("\"").append(member.name).append("\":").append(member.value).append(",");
    }
  }
  text += "\"after\":";
  json::append_string(text, cursor);
  return text += '}';
}

}  // namespace doctor::query
