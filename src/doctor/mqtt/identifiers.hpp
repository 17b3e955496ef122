#pragma once

#include <cstdint>
#include <string>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

namespace doctor::mqtt {

class Identifiers;
/// Null where there are none. Counted without atomics: a broker lives on one thread.
using IdentifiersPtr = boost::intrusive_ptr<const Identifiers>;

/// The Subscription Identifiers that a message carries to one receiver, an immutable value
/// [MQTT-3.3.4-3 -4 -5]: made once for a subscription, shared by all that it matches.
class Identifiers : public boost::intrusive_ref_counter<Identifiers, boost::thread_unsafe_counter> {
 public:
  /// @param identifier  1 to 268 435 455
  static IdentifiersPtr of(std::uint32_t identifier);
  /// From what `properties` gave; null if that is empty.
  static IdentifiersPtr restored(std::string properties);
  /// Those of both, null or not, in this order.
  static IdentifiersPtr both(const IdentifiersPtr& a, const IdentifiersPtr& b);

  /// As properties of a PUBLISH, ready for the wire (§3.3.2.3.8).
  const std::string& properties() const { return properties_; }

 private:
  explicit Identifiers(std::string properties) : properties_(std::move(properties)) {}

  std::string properties_;
};

}  // namespace doctor::mqtt
