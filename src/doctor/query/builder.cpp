#include "doctor/query/builder.hpp"

namespace doctor::query {

const FieldName* Builder::name(std::string_view name) {
  const auto found = plan_.names.find(name);
  if (found != plan_.names.end()) return &found->second;
  return &plan_.names.emplace(std::string(name), FieldName(name)).first->second;
}

Slot Builder::slot(std::string_view collection) {
  const auto found = plan_.slots.find(collection);
  if (found != plan_.slots.end()) return found->second;
  const auto slot = static_cast<Slot>(plan_.collections.size());
  plan_.collections.emplace_back(collection);
  plan_.collection_names.emplace(collection);
  plan_.slots.emplace(std::string(collection), slot);
  return slot;
}

Step Builder::one(const FieldName* field, Slot target) const {
  Step step;
  step.target = target;
  step.field = field;
  return step;
}

Step Builder::many(Slot home, Slot target, const FieldName* field) {
  Step step;
  step.kind = Step::Kind::many;
  step.target = target;
  if (field == nullptr) {
    step.listed = name(plan_.collections[target]);
    step.field = name(plan_.collections[home]);
  } else {
    step.field = field;
  }
  const auto number = static_cast<std::uint32_t>(plan_.links.size());
  step.links = plan_.links.emplace(std::pair(target, step.field), number).first->second;
  return step;
}

const Refinement* Builder::keep(Refinement refinement) {
  plan_.refinements.push_back(std::make_unique<const Refinement>(std::move(refinement)));
  return plan_.refinements.back().get();
}

Result<void> Builder::check_depth(const Place& place, std::uint32_t depth) const {
  if (depth <= limits_.query_nesting) return {};
  return wrong(place, "the query is nested deeper than " + std::to_string(limits_.query_nesting) +
                          " levels (limit query_nesting)");
}

}  // namespace doctor::query
