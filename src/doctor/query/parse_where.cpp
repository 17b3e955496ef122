// Conditions: declared in parse.hpp.

#include <algorithm>
#include <array>

#include "doctor/json/value.hpp"
#include "doctor/query/parse.hpp"

namespace doctor::query {
namespace {

constexpr std::array<std::string_view, 3> group_names = {"$and", "$or", "$nor"};
constexpr std::array<std::string_view, 11> operator_names = {
    "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$glob", "$not"};

template <std::size_t n>
bool is_one_of(std::string_view name, const std::array<std::string_view, n>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string expected_kind(std::string_view what, std::string_view value) {
  return std::string(what) + " is expected, not " + std::string(kind_name(value));
}

// What one key of a where asks of the values at its path.
class Asked {
 public:
  // `target`: the collection of the documents that the path ends at, if it does.
  Asked(const Path& path, Slot target, Builder& builder)
      : of_document_(path.names.empty()),
        of_id_(path.names.size() == 1 && path.names.front()->name() == "id"),
        target_(target),
        builder_(builder) {}

  Result<void> parse(std::string_view value, const Place& place, std::uint32_t depth,
                     std::vector<Predicate>& out) {
    if (json::kind(value) == json::Kind::object) return object(value, place, depth, out);
    if (json::is_string(value)) {
      const std::string text = json::unescape(json::content(value));
      if (Glob::is_pattern(text)) {
        out.push_back({false, Glob(text)});
        return {};
      }
    }
    out.push_back({false, equal(value)});
    return {};
  }

 private:
  Result<void> object(std::string_view value, const Place& place, std::uint32_t depth,
                      std::vector<Predicate>& out) {
    bool has_operators = false;
    bool has_others = false;
    for (const json::Member& member : json::Members(value)) {
      const std::string name = json::unescape(member.name);
      // Conditions on the document of a reference may be in groups.
      const bool of_group = of_document_ && is_one_of(name, group_names);
      const bool is_operator = name.starts_with('$') && !of_group;
      if (is_operator && !is_one_of(name, operator_names)) {
        return wrong(Place(place, name), unknown(name));
      }
      (is_operator ? has_operators : has_others) = true;
    }
    if (has_operators && has_others) {
      return wrong(place, "operators (`$...`) and other keys cannot stand in one object");
    }
    if (has_operators) return operators(value, place, depth, out);
    if (!of_document_) {
      out.push_back({false, equal(value)});
      return {};
    }
    if (auto good = builder_.check_depth(place, depth + 1); !good) return good.error();
    auto condition = parse_condition(value, place, target_, depth + 1, builder_);
    if (!condition) return condition.error();
    out.push_back({false, Meets{std::make_unique<Condition>(std::move(*condition))}});
    return {};
  }

  static std::string unknown(std::string_view name) {
    if (is_one_of(name, group_names)) {
      return shown(name) + " stands beside fields, not under one; write {\"" + std::string(name) +
             "\": [{\"field\": ...}, ...]}";
    }
    return shown(name) +
           " is no operator; there are $eq $ne $gt $gte $lt $lte $in $nin $exists "
           "$glob $not";
  }

  Result<void> operators(std::string_view value, const Place& place, std::uint32_t depth,
                         std::vector<Predicate>& out) {
    for (const json::Member& member : json::Members(value)) {
      const std::string name = json::unescape(member.name);
      const Place inner(place, name);
      auto predicate = one(name, member.value, inner, depth);
      if (!predicate) return predicate.error();
      out.push_back(std::move(*predicate));
    }
    return {};
  }

  Result<Predicate> one(std::string_view name, std::string_view value, const Place& place,
                        std::uint32_t depth) {
    using Relation = Ordered::Relation;
    if (name == "$eq") return Predicate{false, equal(value)};
    if (name == "$ne") return Predicate{true, equal(value)};
    if (name == "$gt") return Predicate{false, Ordered{Relation::greater, std::string(value)}};
    if (name == "$gte") {
      return Predicate{false, Ordered{Relation::greater_equal, std::string(value)}};
    }
    if (name == "$lt") return Predicate{false, Ordered{Relation::less, std::string(value)}};
    if (name == "$lte") return Predicate{false, Ordered{Relation::less_equal, std::string(value)}};
    if (name == "$in" || name == "$nin") {
      if (json::kind(value) != json::Kind::array) {
        return wrong(place, expected_kind("an array of values", value));
      }
      return Predicate{name == "$nin", among(value)};
    }
    if (name == "$exists") {
      if (json::kind(value) != json::Kind::boolean) {
        return wrong(place, expected_kind("true or false", value));
      }
      return Predicate{value == "false", Exists{}};
    }
    if (name == "$glob") {
      if (!json::is_string(value))
        return wrong(place, expected_kind("a pattern, a string,", value));
      return Predicate{false, Glob(json::unescape(json::content(value)))};
    }
    if (auto good = builder_.check_depth(place, depth + 1); !good) return good.error();
    All all;
    if (auto good = parse(value, place, depth + 1, all.predicates); !good) return good.error();
    return Predicate{true, std::move(all)};
  }

  Equal equal(std::string_view value) const {
    Equal made{std::string(value), {}};
    if (of_id_ && json::kind(value) == json::Kind::number) made.id = json::quoted(value);
    return made;
  }

  Among among(std::string_view array) const {
    Among made;
    for (const std::string_view value : json::Elements(array)) {
      const json::Kind kind = json::kind(value);
      if (kind == json::Kind::string) {
        made.strings.push_back(json::unescape(json::content(value)));
        continue;
      }
      if (kind == json::Kind::number) {
        made.numbers.emplace_back(value);
        // Ids, which are strings, are compared with numbers by their text.
        if (of_id_) made.strings.emplace_back(value);
        continue;
      }
      made.null |= kind == json::Kind::null;
      made.others_size += value.size();
      made.others.emplace_back(value);
    }
    std::sort(made.strings.begin(), made.strings.end());
    std::sort(
        made.numbers.begin(), made.numbers.end(),
        [](const std::string& a, const std::string& b) { return json::compare_numbers(a, b) < 0; });
    return made;
  }

  bool of_document_;
  bool of_id_;
  Slot target_;
  Builder& builder_;
};

Result<Group> parse_group(std::string_view name, std::string_view value, const Place& place,
                          Slot home, std::uint32_t depth, Builder& builder) {
  if (json::kind(value) != json::Kind::array) {
    return wrong(place, expected_kind("an array of conditions", value));
  }
  if (auto good = builder.check_depth(place, depth + 1); !good) return good.error();
  using Kind = Group::Kind;
  Group group{name == "$and" ? Kind::all : name == "$or" ? Kind::any : Kind::none, {}};
  std::size_t index = 0;
  for (const std::string_view element : json::Elements(value)) {
    const Place inner(place, index++);
    auto condition = parse_condition(element, inner, home, depth + 1, builder);
    if (!condition) return condition.error();
    group.conditions.push_back(std::move(*condition));
  }
  return group;
}

// How much it costs to judge a test, roughly: fields first, then references, then many.
int cost(const Test& test) {
  const auto& steps = test.path.steps;
  if (steps.empty()) return 0;
  return std::any_of(steps.begin(), steps.end(), [](const Step& s) { return s.is_many(); }) ? 2 : 1;
}

std::uint32_t passed_many(const Path& path) {
  return static_cast<std::uint32_t>(std::count_if(path.steps.begin(), path.steps.end(),
                                                  [](const Step& s) { return s.is_many(); }));
}

}  // namespace

Result<Condition> parse_condition(std::string_view value, const Place& place, Slot home,
                                  std::uint32_t depth, Builder& builder) {
  if (json::kind(value) != json::Kind::object) {
    return wrong(place, expected_kind("an object of conditions", value));
  }
  Condition condition;
  for (const json::Member& member : json::Members(value)) {
    const std::string name = json::unescape(member.name);
    const Place inner(place, name);
    if (is_one_of(name, group_names)) {
      auto group = parse_group(name, member.value, inner, home, depth, builder);
      if (!group) return group.error();
      condition.groups.push_back(std::move(*group));
      continue;
    }
    if (name.starts_with('$')) {
      return wrong(inner,
                   is_one_of(name, operator_names)
                       ? shown(name) + " stands under a field: {\"field\": {\"" + name + "\": ...}}"
                       : shown(name) + " is unknown; here stand fields, $and, $or and $nor");
    }
    auto path = parse_path(name, inner, home, depth, builder);
    if (!path) return path.error();
    Test test;
    test.path = std::move(*path);
    const auto& steps = test.path.steps;
    if (!steps.empty() && !steps.front().is_many()) test.memo = builder.next_test();
    Asked asked(test.path, steps.empty() ? home : steps.back().target, builder);
    auto parsed = asked.parse(member.value, inner, depth + passed_many(test.path), test.predicates);
    if (!parsed) return parsed.error();
    condition.tests.push_back(std::move(test));
  }
  std::sort(condition.tests.begin(), condition.tests.end(),
            [](const Test& a, const Test& b) { return cost(a) < cost(b); });
  return condition;
}

}  // namespace doctor::query
