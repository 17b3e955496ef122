#include "doctor/server/event_rules.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "doctor/base/log.hpp"
#include "doctor/server/shared.hpp"

namespace doctor::server {
namespace {

// While too many writes of others wait, events wait too, but not forever.
constexpr std::chrono::milliseconds pause_when_busy{50};
constexpr int attempts_when_busy = 40;

EventRules::Unmerged cause_of(rules::Unfit::Cause cause) {
  return cause == rules::Unfit::Cause::invalid ? EventRules::Unmerged::invalid
                                               : EventRules::Unmerged::not_applicable;
}

}  // namespace

std::string_view name_of(EventRules::Unmerged cause) {
  constexpr std::array<std::string_view, EventRules::unmerged_count> names = {
      "not_applicable", "no_document", "invalid", "dropped", "failed"};
  return names[static_cast<std::size_t>(cause)];
}

EventRules::EventRules(std::vector<rules::Rule> rules, const Limits& limits, engine::Engine& engine)
    : rules_(std::move(rules), limits), limits_(limits), engine_(engine), warnings_(rules_.size()) {
  if (!rules_.empty()) thread_ = std::thread([this] { run(); });
}

EventRules::~EventRules() {
  finish();
}

void EventRules::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void EventRules::take(std::string_view upstream, std::vector<Arrived> events) {
  std::erase_if(events, [&](const Arrived& event) {
    return !rules_.is_for({upstream, event.method, event.params});
  });
  if (events.empty()) return;
  const std::lock_guard lock(mutex_);
  if (finishing_) return;
  for (Arrived& event : events) {
    waiting_.push_back({std::string(upstream), std::move(event.method), std::move(event.params)});
    ++events_;
    bytes_ += waiting_.back().size();
  }
  while (events_ > limits_.events_waiting || bytes_ > limits_.events_waiting_bytes) drop_oldest();
  wake_.notify_one();
}

void EventRules::take_answer(std::string_view upstream, rules::RuleSet::Call call,
                             std::string result) {
  const std::lock_guard lock(mutex_);
  if (finishing_) return;
  std::erase_if(waiting_, [&](const Waiting& other) {
    return other.call && other.upstream == upstream && other.call->rules == call.rules;
  });
  waiting_.push_back({std::string(upstream), {}, std::move(result), std::move(call)});
  wake_.notify_one();
}

void EventRules::drop_oldest() {
  const auto oldest = std::find_if(waiting_.begin(), waiting_.end(),
                                   [](const Waiting& waiting) { return !waiting.call; });
  --events_;
  bytes_ -= oldest->size();
  waiting_.erase(oldest);
  note_dropped(1);
}

void EventRules::note_dropped(std::uint64_t number) {
  count(Unmerged::dropped, number);
  const auto untold = drops_.due(Clock::now());
  if (!untold) return;
  log::warning(
      "events are dropped: more wait than the limits `events_waiting` and "
      "`events_waiting_bytes` allow",
      {{"untold since the last", std::to_string(*untold)}});
}

void EventRules::run() {
  for (;;) {
    auto taken = take_all();
    if (taken.empty()) return;
    apply(std::move(taken));
  }
}

std::deque<EventRules::Waiting> EventRules::take_all() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return finishing_ || !waiting_.empty(); });
  events_ = 0;
  bytes_ = 0;
  return std::exchange(waiting_, {});
}

void EventRules::apply(std::deque<Waiting> taken) {
  rules::Merges found;
  const auto merge_all = [&] {
    for (const rules::Unfit& unfit : found.unfit) {
      const Unmerged cause = cause_of(unfit.cause);
      count(cause);
      warn(unfit.rule, cause, unfit.detail);
    }
    merge(found.merges);
    found = {};
  };
  for (const Waiting& waiting : taken) {
    if (waiting.call) {
      rules_.apply_answer(*waiting.call, waiting.upstream, waiting.json, found);
    } else {
      rules_.apply({waiting.upstream, waiting.method, waiting.json}, found);
    }
    if (found.merges.size() >= limits_.events_commit_documents) merge_all();
  }
  merge_all();
}

void EventRules::merge(std::span<const rules::Merge> merges) {
  while (!merges.empty()) {
    const auto some = merges.first(std::min(merges.size(), limits_.events_commit_documents));
    merges = merges.subspan(some.size());
    const auto outcome = submit(some);
    if (!outcome) {
      count(Unmerged::failed, some.size());
      warn(some.front().rule, Unmerged::failed, outcome.error().detail);
      continue;
    }
    merged_ += some.size() - outcome->refused.size();
    for (const engine::Refusal& refusal : outcome->refused) {
      const bool is_missing = refusal.why.code == Errc::not_found;
      const Unmerged cause = is_missing ? Unmerged::no_document : Unmerged::invalid;
      count(cause);
      warn(some[refusal.merge].rule, cause, refusal.why.detail);
    }
  }
}

Result<engine::Outcome> EventRules::submit(std::span<const rules::Merge> merges) {
  for (int attempt = 1;; ++attempt) {
    engine::Merge merge;
    for (const rules::Merge& one : merges) {
      merge.merges.push_back({one.collection, one.id, one.patch, one.create});
    }
    const auto promise = std::make_shared<std::promise<Result<engine::Outcome>>>();
    engine_.submit({{}, wall_clock(), std::move(merge)}, [promise](Result<engine::Outcome> done) {
      promise->set_value(std::move(done));
    });
    Result<engine::Outcome> done = promise->get_future().get();
    const bool is_busy = !done && done.error().code == Errc::unavailable;
    if (!is_busy || attempt == attempts_when_busy || is_finishing()) return done;
    std::this_thread::sleep_for(pause_when_busy);
  }
}

bool EventRules::is_finishing() const {
  const std::lock_guard lock(mutex_);
  return finishing_;
}

void EventRules::count(Unmerged cause, std::uint64_t number) {
  unmerged_[static_cast<std::size_t>(cause)].fetch_add(number, std::memory_order_relaxed);
}

void EventRules::warn(std::size_t rule, Unmerged cause, const std::string& why) {
  const auto untold = warnings_[rule].due(Clock::now());
  if (!untold) return;
  log::warning("a rule could not be applied to an event",
               {{"rule", std::to_string(rule + 1)},
                {"events", rules_.rule(rule).events.text()},
                {"cause", std::string(name_of(cause))},
                {"why", why},
                {"untold since the last", std::to_string(*untold)}});
}

EventRules::Figures EventRules::figures() const {
  Figures figures;
  figures.merged = merged_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < unmerged_count; ++i) {
    figures.unmerged[i] = unmerged_[i].load(std::memory_order_relaxed);
  }
  const std::lock_guard lock(mutex_);
  figures.waiting = waiting_.size();
  return figures;
}

}  // namespace doctor::server
