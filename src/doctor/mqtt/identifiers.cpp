#include "doctor/mqtt/identifiers.hpp"

#include "doctor/mqtt/properties.hpp"

namespace doctor::mqtt {

IdentifiersPtr Identifiers::of(std::uint32_t identifier) {
  std::string properties;
  append_property(properties, {PropertyId::subscription_identifier, identifier, {}, {}});
  return new Identifiers(std::move(properties));
}

IdentifiersPtr Identifiers::restored(std::string properties) {
  return properties.empty() ? nullptr : new Identifiers(std::move(properties));
}

IdentifiersPtr Identifiers::both(const IdentifiersPtr& a, const IdentifiersPtr& b) {
  if (!a) return b;
  if (!b) return a;
  return new Identifiers(a->properties_ + b->properties_);
}

}  // namespace doctor::mqtt
