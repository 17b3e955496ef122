#include "doctor/stomp/destinations.hpp"

#include <algorithm>

namespace doctor::stomp {

std::size_t segments_of(std::string_view destination) {
  return 1 + static_cast<std::size_t>(std::count(destination.begin(), destination.end(), '.'));
}

bool covers(std::string_view subscribed, std::string_view destination) {
  return destination.starts_with(subscribed) &&
         (destination.size() == subscribed.size() || destination[subscribed.size()] == '.');
}

void Destinations::add(const SubscriptionPtr& subscription) {
  by_name_[subscription->destination].places.push_back({subscription->serial, subscription});
  ++size_;
}

void Destinations::remove(const Subscription& subscription) {
  const auto found = by_name_.find(subscription.destination);
  if (found == by_name_.end()) return;
  Name& name = found->second;
  const auto place = std::lower_bound(
      name.places.begin(), name.places.end(), subscription.serial,
      [](const Place& other, std::uint64_t serial) { return other.serial < serial; });
  const bool is_there =
      place != name.places.end() && place->serial == subscription.serial && place->subscription;
  if (!is_there) return;
  --size_;
  place->subscription.reset();
  ++name.left;
  if (name.left == name.places.size()) {
    by_name_.erase(found);
  } else if (name.left > name.places.size() / 2) {
    std::erase_if(name.places, [](const Place& one) { return one.subscription == nullptr; });
    name.left = 0;
  }
}

void Destinations::match(std::string_view destination,
                         const std::function<void(const SubscriptionPtr&)>& visit) const {
  for (std::size_t end = destination.find('.');; end = destination.find('.', end + 1)) {
    if (const auto found = by_name_.find(destination.substr(0, end)); found != by_name_.end()) {
      for (const Place& place : found->second.places) {
        if (place.subscription) visit(place.subscription);
      }
    }
    if (end == destination.npos) return;
  }
}

bool Destinations::hears(std::string_view destination) const {
  for (std::size_t end = destination.find('.');; end = destination.find('.', end + 1)) {
    if (by_name_.contains(destination.substr(0, end))) return true;
    if (end == destination.npos) return false;
  }
}

}  // namespace doctor::stomp
