#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "doctor/stomp/subscription.hpp"

namespace doctor::stomp {

/// How many segments a destination has: one more than dots.
std::size_t segments_of(std::string_view destination);

/// Whether who subscribed to `subscribed` hears what is sent to `destination`: it is the same, or
/// its whole segments are the first ones of it. `a` hears `a.b`, not `ab`, nor does `a.b` hear `a`.
bool covers(std::string_view subscribed, std::string_view destination);

/// Subscriptions by destination.
class Destinations {
 public:
  /// Serial numbers only grow.
  void add(const SubscriptionPtr& subscription);
  /// Takes the same time however many others have subscribed there, but for a clearing up now and
  /// then that is spread over those who have left.
  void remove(const Subscription& subscription);
  /// Calls `visit` for each subscription that hears the destination: those of its first segment
  /// first, then of the first two, and so on; among them in the order in which they were made.
  /// `visit` must neither add nor remove any.
  void match(std::string_view destination,
             const std::function<void(const SubscriptionPtr&)>& visit) const;
  /// Whether `match` would find any.
  bool hears(std::string_view destination) const;
  std::size_t size() const { return size_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Place {
    std::uint64_t serial = 0;
    SubscriptionPtr subscription;  // null: it has left
  };
  struct Name {
    std::vector<Place> places;  // by serial
    std::size_t left = 0;       // how many of them
  };
  std::unordered_map<std::string, Name, Hash, std::equal_to<>> by_name_;
  std::size_t size_ = 0;
};

}  // namespace doctor::stomp
