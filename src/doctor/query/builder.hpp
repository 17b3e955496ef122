#pragma once

#include <string_view>

#include "doctor/base/limits.hpp"
#include "doctor/query/place.hpp"
#include "doctor/query/plan.hpp"

namespace doctor::query {

/// A plan while its query is parsed: gives each name, collection and reverse reference its one
/// place in it.
class Builder {
 public:
  Builder(Plan& plan, const Limits& limits) : plan_(plan), limits_(limits) {}

  const FieldName* name(std::string_view name);
  /// @param collection  a good name
  Slot slot(std::string_view collection);

  Step one(const FieldName* field, Slot target) const;
  /// @param home   the collection of the document that is asked
  /// @param field  the field of `@[vm:field]`, or null
  Step many(Slot home, Slot target, const FieldName* field);

  const Refinement* keep(Refinement refinement);
  Memo next_edge() { return plan_.edges++; }
  Memo next_test() { return plan_.tests++; }

  const Limits& limits() const { return limits_; }
  /// What is wrong with a query in which something stands `depth` levels deep, if anything is.
  Result<void> check_depth(const Place& place, std::uint32_t depth) const;

 private:
  Plan& plan_;
  const Limits& limits_;
};

}  // namespace doctor::query
