#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "doctor/document/names.hpp"
#include "doctor/query/glob.hpp"

/// A query as it is run: selectors, conditions and orders with every name looked up. Immutable once
/// parsed; names are pointers into Plan::names.
namespace doctor::query {

using document::FieldName;

/// One of Plan::collections.
using Slot = std::uint32_t;
/// Which of a run's memos something uses: each Edge, Value with hops and Test has its own.
using Memo = std::uint32_t;

struct Refinement;

/// From a document to the one that it refers to, or to many.
struct Step {
  enum class Kind : std::uint8_t { one, many };

  Kind kind = Kind::one;
  Slot target = 0;
  /// one: the field that holds the id. many: the field of those others that holds this one's id.
  const FieldName* field = nullptr;
  /// many: the field of this document that lists them instead, if it holds an array.
  const FieldName* listed = nullptr;
  /// many: which reverse reference of the query this is; each (target, field) has one number.
  std::uint32_t links = 0;
  /// many, in a select: which of them. Owned by the plan.
  const Refinement* refinement = nullptr;

  bool is_many() const { return kind == Kind::many; }
};

// ---- select ----

struct Object;
struct Many;
struct Edge;

/// Fields of the document at hand, each under its own name behind a prefix.
struct Star {};

/// Something that a selector adds to an object, under `key`.
struct Member {
  /// `"name":`, but of a Star the opening quote and the prefix, and of an Edge nothing.
  std::string key;
  std::variant<const FieldName*, Star, std::unique_ptr<Object>, std::unique_ptr<Many>,
               std::unique_ptr<Edge>>
      what;
};

/// What selectors that stand side by side and begin with the same references add to an object: all
/// of it depends on the document at their end only, so it is written once and then repeated.
struct Edge {
  std::vector<Step> hops;  // one-to-one, at least one
  Memo memo;
  std::vector<Member> members;
};

struct Object {
  bool whole = false;  // the document as it is
  /// A Star and another member may bring the same key: the first to come stays.
  bool may_repeat = false;
  std::vector<Member> members;
};

/// An element of an array: there is none if a hop leads nowhere or the field is not there.
struct Value {
  std::vector<Step> hops;  // one-to-one
  Memo memo;
  std::variant<const FieldName*, std::unique_ptr<Object>, std::unique_ptr<Many>> what;
};

struct Many {
  Step step;
  Value each;
};

// ---- where ----

/// Where a condition or an order looks: along references, then into the document there.
struct Path {
  std::vector<Step> steps;
  std::vector<const FieldName*> names;  // none: the document itself
};

struct Condition;
struct Predicate;

struct Equal {
  std::string value;
  std::string id;  // `"5"` where an id is compared with the number 5; else empty
};
struct Among {
  std::vector<std::string> strings;  // unescaped, sorted
  std::vector<std::string> numbers;  // sorted by value
  std::vector<std::string> others;
  std::size_t others_size = 0;  // octets
  bool null = false;
};
struct Ordered {
  enum class Relation : std::uint8_t { less, less_equal, greater, greater_equal };
  Relation relation;
  std::string value;
};
struct Exists {};
struct All {
  std::vector<Predicate> predicates;
};
/// The path ends at a document, and that meets the condition.
struct Meets {
  std::unique_ptr<Condition> condition;
};

/// Holds if any value at a path satisfies it (All: if all its own do); negated if not.
struct Predicate {
  bool negated = false;
  std::variant<Equal, Among, Ordered, Exists, Glob, All, Meets> what;
};

/// One key of a where: all its predicates must hold, each by itself.
struct Test {
  Path path;
  Memo memo = 0;  // if the path begins with a one-to-one reference
  std::vector<Predicate> predicates;
};

struct Group {
  enum class Kind : std::uint8_t { all, any, none };
  Kind kind;
  std::vector<Condition> conditions;
};

/// All of it must hold.
struct Condition {
  std::vector<Test> tests;
  std::vector<Group> groups;
};

// ---- orderBy, limit, skip ----

struct Order {
  Path path;
  bool descending = false;
};

/// Which documents of many, in which order.
struct Refinement {
  std::optional<Condition> where;
  std::string where_text;
  std::vector<Order> orders;
  std::optional<std::uint64_t> limit;
  std::optional<std::uint64_t> skip;
};

// ---- all of it ----

struct Plan {
  Plan() = default;
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  std::string text;  // the query as compact JSON; empty: none
  bool is_plain = true;
  std::uint64_t fingerprint = 0;  // of all but `after`: a cursor belongs to one query

  Object select;
  Refinement list;
  bool count = false;
  std::optional<std::string> after;

  std::vector<std::string> collections;  // by slot; 0 is the one that is asked
  std::map<std::string, Slot, std::less<>> slots;
  std::set<std::string> collection_names;
  std::map<std::string, FieldName, std::less<>> names;
  std::map<std::pair<Slot, const FieldName*>, std::uint32_t> links;
  std::vector<std::unique_ptr<const Refinement>> refinements;
  Memo edges = 0;  // memos of what was written
  Memo tests = 0;  // memos of what was judged
};

}  // namespace doctor::query
