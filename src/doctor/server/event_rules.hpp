#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/engine/engine.hpp"
#include "doctor/rules/rule_set.hpp"
#include "doctor/server/paced_warning.hpp"

namespace doctor::server {

/// Makes documents of events. Whoever brings an event does not wait: a thread of its own takes all
/// that wait, applies the rules, and gives the engine one command; what comes until that is durable
/// is the next. What cannot be applied is counted and logged, each rule once a minute.
///
/// All member functions may be called from any thread.
class EventRules {
 public:
  enum class Unmerged : std::uint8_t {
    not_applicable,
    no_document,
    invalid,
    dropped,  ///< too many waited
    failed,   ///< the store takes no writes
  };
  static constexpr std::size_t unmerged_count = 5;

  /// @param engine  outlives this
  EventRules(std::vector<rules::Rule> rules, const Limits& limits, engine::Engine& engine);
  /// As `finish`.
  ~EventRules();
  EventRules(const EventRules&) = delete;
  EventRules& operator=(const EventRules&) = delete;

  const rules::RuleSet& rules() const { return rules_; }

  struct Arrived {
    std::string method;  ///< see rules::Event, as for all of these
    std::string params;
  };
  /// Events that came together; over `events_waiting` or `events_waiting_bytes` the oldest that
  /// wait are dropped.
  void take(std::string_view upstream, std::vector<Arrived> events);
  /// The answer to a refresh call. Nothing drops it but the next one to the same call.
  /// @param result  compact JSON that was checked
  void take_answer(std::string_view upstream, rules::RuleSet::Call call, std::string result);

  /// So many events were dropped before they came here.
  void note_dropped(std::uint64_t number);

  /// Applies what waits, and takes nothing more.
  void finish();

  struct Figures {
    std::uint64_t merged = 0;
    std::array<std::uint64_t, unmerged_count> unmerged{};  ///< by Unmerged
    std::uint64_t waiting = 0;                             ///< now
  };
  Figures figures() const;

 private:
  struct Waiting {
    std::string upstream;
    std::string method;  // of an event
    std::string json;    // params or result
    std::optional<rules::RuleSet::Call> call{};

    std::size_t size() const { return upstream.size() + method.size() + json.size(); }
  };

  void run();
  std::deque<Waiting> take_all();
  void drop_oldest();
  void apply(std::deque<Waiting> taken);
  void merge(std::span<const rules::Merge> merges);
  Result<engine::Outcome> submit(std::span<const rules::Merge> merges);
  bool is_finishing() const;
  void count(Unmerged cause, std::uint64_t number = 1);
  void warn(std::size_t rule, Unmerged cause, const std::string& why);

  const rules::RuleSet rules_;
  const Limits limits_;
  engine::Engine& engine_;

  std::atomic<std::uint64_t> merged_{0};
  std::array<std::atomic<std::uint64_t>, unmerged_count> unmerged_{};
  std::vector<PacedWarning> warnings_;  // by rule
  PacedWarning drops_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Waiting> waiting_;
  std::size_t events_ = 0;  // of those
  std::size_t bytes_ = 0;   // of the events
  bool finishing_ = false;

  std::thread thread_;  // last: it uses all of the above; none if there are no rules
};

/// As metrics call it.
std::string_view name_of(EventRules::Unmerged cause);

}  // namespace doctor::server
