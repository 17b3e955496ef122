#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace soak {

/// component, operation, unique id: what an event is told by, besides its receiver.
using EventName = std::array<std::string, 3>;

/// Everything that was published, by publisher: an event's number is its place.
class Log {
 public:
  explicit Log(std::size_t publishers) : events_(publishers) {}

  std::size_t publishers() const { return events_.size(); }
  /// @return the number of the event
  std::size_t add(std::size_t publisher, EventName event) {
    const std::lock_guard lock(mutex_);
    events_[publisher].push_back(std::move(event));
    return events_[publisher].size() - 1;
  }
  /// How many events each publisher has published.
  std::vector<std::size_t> sizes() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::size_t> sizes;
    for (const auto& events : events_) sizes.push_back(events.size());
    return sizes;
  }
  std::size_t size(std::size_t publisher) const {
    const std::lock_guard lock(mutex_);
    return events_[publisher].size();
  }
  /// How many of a publisher's events from `begin` to before `end` one of the ids matches.
  std::size_t matching(std::size_t publisher, std::size_t begin, std::size_t end,
                       const std::vector<std::string>& ids) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::vector<EventName>> events_;  // guarded by mutex_
};

/// `*|component|operation|unique id`, held against an event part by part, as plainly as can be.
bool matches(std::string_view id, const EventName& event);

using Time = std::chrono::steady_clock::time_point;

/// From just before a connection was cut until the next one was seen to carry everything again.
struct Outage {
  Time begin;
  Time end;
};

/// What one subscription heard, held against what was published.
class Account {
 public:
  Account(const Log& log, std::vector<std::string> ids) : log_(&log), ids_(std::move(ids)) {}

  /// From here on everything must come: the peer has taken the subscription.
  void in_force(std::vector<std::size_t> sizes) { from_ = std::move(sizes); }
  void heard(std::size_t publisher, std::size_t number, Time arrived);
  /// That many events were dropped.
  void told_of(std::uint64_t dropped) { told_ += dropped; }

  std::size_t events() const { return heard_.size(); }

  /// What is wrong, or nothing. An event may be missing if it was told of, or if the connection was
  /// away between those that came before and after it.
  /// @param outages  of its connection
  /// @param dropped_by_peer  events that its peer said it had dropped
  /// @param published  by publisher, once all is quiet; empty: it ended in the middle of things
  std::string fault(const std::vector<Outage>& outages, std::uint64_t dropped_by_peer,
                    const std::vector<std::size_t>& published) const;

 private:
  struct Heard {
    std::size_t publisher;
    std::size_t number;
    Time arrived;
  };
  const Log* log_;
  std::vector<std::string> ids_;
  std::vector<std::size_t> from_;  // empty: it was never seen to be in force
  std::vector<Heard> heard_;
  std::string wrong_;
  std::uint64_t told_ = 0;
};

}  // namespace soak
