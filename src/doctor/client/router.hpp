#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "doctor/client/flow.hpp"
#include "doctor/events/subscription_index.hpp"

namespace doctor::client {

/// Which subscriptions of a client an event goes to. Belongs to the thread that reads the socket.
class Router {
 public:
  /// @param ids  it gets what matches any of them, once
  void add(std::shared_ptr<Flow> flow, std::vector<events::SubscriptionId> ids);
  /// One that is not there is no error.
  void remove(const Flow* flow);
  bool empty() const { return routes_.empty(); }

  /// Puts the event into the buffers of those that it matches; they are woken by `flush`.
  /// @return whether there are any
  bool deliver(Event event);
  void flush();
  /// Whether to read on would only make all of them drop events.
  bool all_full() const;

  /// To those whose subscription ids match `receiver|*|*|*`.
  void disconnected(const std::string& receiver, const Error& reason);
  void reconnected(const std::string& receiver, const Gap& gap);
  void purge(Clock::time_point now);
  /// Ends all.
  void complete();
  void fail(const Error& failure);

 private:
  struct Route {
    std::shared_ptr<Flow> flow;
    std::vector<events::Holder> holders;
    std::uint64_t last = 0;  // the number of the event that it got last
    bool woken = true;       // since it got one
  };
  const std::vector<Route*>& matching(const events::EventId& event);

  events::SubscriptionIndex index_;
  std::unordered_map<const Flow*, std::unique_ptr<Route>> routes_;
  std::unordered_map<events::Holder, Route*> by_holder_;
  std::vector<Route*> matched_;  // by the event that was looked up last
  std::vector<Route*> touched_;  // since the last flush
  std::uint64_t count_ = 0;      // of events
};

}  // namespace doctor::client
