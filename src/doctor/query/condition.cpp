#include "doctor/query/condition.hpp"

#include <algorithm>

#include "doctor/json/value.hpp"
#include "doctor/query/member.hpp"

namespace doctor::query {
namespace {

// Strings that hold no escape are equal octet by octet; most values need no more than that.
bool equals(std::string_view value, std::string_view operand) {
  if (value == operand) return true;
  const char kind = value.front();
  if (kind != operand.front() && (kind == '"' || operand.front() == '"')) return false;
  return json::equal(value, operand);
}

bool is_less(std::string_view a, std::string_view b) {
  return json::compare_numbers(a, b) < 0;
}

bool stands(std::string_view value, const Ordered& ordered) {
  const json::Kind kind = json::kind(value);
  if (kind != json::kind(ordered.value)) return false;
  if (kind != json::Kind::number && kind != json::Kind::string) return false;
  const auto order = kind == json::Kind::number ? json::compare_numbers(value, ordered.value)
                                                : json::compare_strings(value, ordered.value);
  switch (ordered.relation) {
    case Ordered::Relation::less:
      return order < 0;
    case Ordered::Relation::less_equal:
      return order <= 0;
    case Ordered::Relation::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

}  // namespace

bool Judge::meets(const Condition& condition, DocumentView document) {
  budget_.seek(1 + condition.tests.size(), document.field_count());
  if (budget_.spent()) return false;
  return std::all_of(condition.tests.begin(), condition.tests.end(),
                     [&](const Test& test) { return holds(test, document); }) &&
         std::all_of(condition.groups.begin(), condition.groups.end(),
                     [&](const Group& group) { return holds(group, document); });
}

bool Judge::holds(const Group& group, DocumentView document) {
  const auto met = [&](const Condition& condition) { return meets(condition, document); };
  switch (group.kind) {
    case Group::Kind::all:
      return std::all_of(group.conditions.begin(), group.conditions.end(), met);
    case Group::Kind::any:
      return std::any_of(group.conditions.begin(), group.conditions.end(), met);
    default:
      return std::none_of(group.conditions.begin(), group.conditions.end(), met);
  }
}

bool Judge::holds(const Test& test, DocumentView document) {
  const auto& steps = test.path.steps;
  if (steps.empty() || steps.front().is_many()) {
    return all_hold(test.predicates, test.path, document);
  }
  const auto reference = document.find(*steps.front().field);
  if (!reference || !References::is_reference(*reference)) {
    return all_hold(test.predicates, test.path, document);
  }
  budget_.read(reference->size());
  if (const bool* known = verdicts_[test.memo].find(*reference)) return *known;
  const bool verdict = all_hold(test.predicates, test.path, document);
  if (budget_.may_remember()) verdicts_[test.memo].insert(*reference, verdict);
  return verdict;
}

bool Judge::all_hold(const std::vector<Predicate>& predicates, const Path& path,
                     DocumentView document) {
  return std::all_of(predicates.begin(), predicates.end(),
                     [&](const Predicate& predicate) { return holds(predicate, path, document); });
}

bool Judge::holds(const Predicate& predicate, const Path& path, DocumentView document) {
  const bool satisfied =
      std::visit([&](const auto& what) { return satisfies(what, path, document); }, predicate.what);
  return satisfied != predicate.negated;
}

bool Judge::satisfies(const Equal& equal, const Path& path, DocumentView document) {
  bool there = false;
  const bool found = any_value(path, document, [&](std::string_view value) {
    there = true;
    return equals(value, equal.value) || (!equal.id.empty() && value == equal.id);
  });
  return found || (!there && equal.value == "null");
}

bool Judge::satisfies(const Among& among, const Path& path, DocumentView document) {
  bool there = false;
  const bool found = any_value(path, document, [&](std::string_view value) {
    there = true;
    return contains(among, value);
  });
  return found || (!there && among.null);
}

bool Judge::contains(const Among& among, std::string_view value) {
  switch (json::kind(value)) {
    case json::Kind::string: {
      const std::string_view content = json::content(value);
      const auto has = [&](std::string_view text) {
        return std::binary_search(among.strings.begin(), among.strings.end(), text);
      };
      return content.find('\\') == std::string_view::npos ? has(content)
                                                          : has(json::unescape(content));
    }
    case json::Kind::number:
      return std::binary_search(among.numbers.begin(), among.numbers.end(), value, is_less);
    default:
      budget_.read(among.others_size);
      return std::any_of(among.others.begin(), among.others.end(),
                         [&](const std::string& one) { return equals(value, one); });
  }
}

bool Judge::satisfies(const Ordered& ordered, const Path& path, DocumentView document) {
  return any_value(path, document, [&](std::string_view value) { return stands(value, ordered); });
}

bool Judge::satisfies(const Exists&, const Path& path, DocumentView document) {
  return any_value(path, document, [](std::string_view) { return true; });
}

bool Judge::satisfies(const Glob& glob, const Path& path, DocumentView document) {
  return any_value(path, document, [&](std::string_view value) {
    if (!json::is_string(value)) return false;
    budget_.read(value.size() * glob.weight());
    return !budget_.spent() && glob.matches(json::content(value), scratch_);
  });
}

bool Judge::satisfies(const All& all, const Path& path, DocumentView document) {
  return all_hold(all.predicates, path, document);
}

bool Judge::satisfies(const Meets& meets, const Path& path, DocumentView document) {
  auto met = [&](DocumentView end) { return this->meets(*meets.condition, end); };
  return any_document(path, 0, document, met);
}

template <class F>
bool Judge::any_document(const Path& path, std::size_t step, DocumentView document, F& found) {
  const std::span steps(path.steps);
  std::size_t hops = step;
  while (hops < steps.size() && !steps[hops].is_many()) ++hops;
  if (hops != step) {
    const auto reference = document.find(*steps[step].field);
    if (!reference || !References::is_reference(*reference)) return false;
    const auto target = references_.follow(steps.subspan(step, hops - step), *reference);
    if (!target) return false;
    document = *target;
  }
  if (hops == steps.size()) return found(document);
  for (const Entry& entry : references_.many(steps[hops], document)) {
    budget_.look();
    if (budget_.spent()) return false;
    if (any_document(path, hops + 1, entry.document, found)) return true;
  }
  return false;
}

template <class F>
bool Judge::any_value(const Path& path, DocumentView document, F found) {
  auto in_document = [&](DocumentView end) {
    if (path.names.empty()) {
      budget_.read(end.text().size());
      return static_cast<bool>(found(end.text()));
    }
    const auto value = end.find(*path.names.front());
    budget_.seek(1, end.field_count());
    if (!value) return false;
    budget_.read(value->size());
    return any_within(path, 1, *value, found);
  };
  return any_document(path, 0, document, in_document);
}

// An array is asked itself, at the end of the path, and so is each of its elements.
template <class F>
bool Judge::any_within(const Path& path, std::size_t name, std::string_view value, F& found) {
  if (budget_.spent()) return false;
  if (name == path.names.size() && found(value)) return true;
  if (value.front() == '[') {
    for (const std::string_view element : json::Elements(value)) {
      if (any_within(path, name, element, found)) return true;
    }
    return false;
  }
  if (name == path.names.size() || value.front() != '{') return false;
  const auto member = member_of(value, *path.names[name]);
  return member && any_within(path, name + 1, *member, found);
}

}  // namespace doctor::query
