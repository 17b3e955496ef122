#include "doctor/client/router.hpp"

#include <algorithm>
#include <utility>

namespace doctor::client {

void Router::add(std::shared_ptr<Flow> flow, std::vector<events::SubscriptionId> ids) {
  auto route = std::make_unique<Route>();
  for (events::SubscriptionId& id : ids) {
    const events::Holder holder = index_.add(std::move(id));
    route->holders.push_back(holder);
    by_holder_.emplace(holder, route.get());
  }
  const Flow* const key = flow.get();
  route->flow = std::move(flow);
  routes_.emplace(key, std::move(route));
}

void Router::remove(const Flow* flow) {
  const auto found = routes_.find(flow);
  if (found == routes_.end()) return;
  for (const events::Holder holder : found->second->holders) {
    index_.remove(holder);
    by_holder_.erase(holder);
  }
  std::erase(touched_, found->second.get());
  routes_.erase(found);
}

const std::vector<Router::Route*>& Router::matching(const events::EventId& event) {
  matched_.clear();
  ++count_;
  index_.match(event, [&](events::Holder holder) {
    Route* const route = by_holder_.at(holder);
    if (std::exchange(route->last, count_) != count_) matched_.push_back(route);
  });
  return matched_;
}

bool Router::deliver(Event event) {
  const events::EventId id{
      {event.receiver(), event.component(), event.operation(), event.unique_id()}};
  for (Route* const route : matching(id)) {
    route->flow->push(route == matched_.back() ? std::move(event) : event);
    if (std::exchange(route->woken, false)) touched_.push_back(route);
  }
  return !matched_.empty();
}

void Router::flush() {
  for (Route* const route : touched_) {
    route->woken = true;
    route->flow->wake();
  }
  touched_.clear();
}

bool Router::all_full() const {
  return !routes_.empty() && std::all_of(routes_.begin(), routes_.end(), [](const auto& entry) {
    return entry.second->flow->is_full();
  });
}

void Router::disconnected(const std::string& receiver, const Error& reason) {
  for (Route* const route : matching({{receiver, "*", "*", "*"}})) {
    route->flow->disconnected(reason);
  }
}

void Router::reconnected(const std::string& receiver, const Gap& gap) {
  for (Route* const route : matching({{receiver, "*", "*", "*"}})) route->flow->reconnected(gap);
}

void Router::purge(Clock::time_point now) {
  for (auto& [key, route] : routes_) route->flow->purge(now);
}

void Router::complete() {
  for (auto& [key, route] : routes_) route->flow->complete();
}

void Router::fail(const Error& failure) {
  for (auto& [key, route] : routes_) route->flow->fail(failure);
}

}  // namespace doctor::client
