#include "doctor/engine/writer.hpp"

#include <utility>

#include "doctor/document/names.hpp"
#include "doctor/engine/apply.hpp"

namespace doctor::engine {
namespace {

// A group is what fits into these. They bound how long its members wait for each other; a command
// that is larger by itself is a group of its own.
constexpr std::size_t group_bytes_max = 1u << 20;
constexpr std::size_t group_commands_max = 1'024;

// What a patch or a removal writes is not known before it is applied: a transaction that has become
// so large ends its group early.
constexpr std::uint64_t transaction_bytes_max = 16u << 20;

constexpr std::size_t expired_at_a_time = 10'000;

// Between two groups an index is built for so long; with its flush a step takes some 5 ms.
constexpr std::chrono::microseconds indexing_step{3'000};
constexpr std::chrono::seconds indexing_pause{60};

// What a write costs beside its document: the entry of the log, and pages that are copied.
constexpr std::size_t overhead = 256;

std::size_t weight_of(const std::vector<document::Document>& documents) {
  std::size_t weight = 0;
  for (const document::Document& document : documents) weight += document.stored().size();
  return weight + documents.size() * overhead;
}

struct Weigh {
  std::size_t operator()(const Upsert& upsert) const { return weight_of(upsert.documents); }
  std::size_t operator()(const ReplaceAll& all) const { return weight_of(all.documents); }
  std::size_t operator()(const Put& put) const { return put.document.stored().size() + overhead; }
  std::size_t operator()(const Patch&) const { return 4 * overhead; }
  std::size_t operator()(const Merge& merge) const { return merge.merges.size() * 4 * overhead; }
  std::size_t operator()(const Remove&) const { return overhead; }
  // Its size is not known before it is applied.
  std::size_t operator()(const Drop&) const { return group_bytes_max; }
  std::size_t operator()(const ExpireSessions& expiry) const {
    return expiry.ids.size() * overhead;
  }
};

}  // namespace

Engine::Writer::Writer(store::Store& store, const Limits& limits, Listener* listener)
    : store_(store), limits_(limits), listener_(listener) {
  expiries_.load(*store_.snapshot());
  thread_ = std::thread([this] { run(); });
}

Engine::Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Engine::Writer::submit(Command command, Completion completion) {
  const std::size_t weight = std::visit(Weigh{}, command.operation);
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.size() < limits_.commands_waiting) {
      queue_.push_back({std::move(command), std::move(completion), weight});
      wake_.notify_one();
      return;
    }
  }
  completion(error(Errc::unavailable,
                   "too many writes are waiting (limit `commands_waiting`): try again"));
}

void Engine::Writer::tick(Timestamp now) {
  // Queries wish for indexes without a word to the writer.
  if (store_.wants_indexing()) {
    const std::lock_guard lock(mutex_);
    wake_.notify_one();
  }
  if (expiring_.exchange(true)) return;
  std::vector<std::string> due = expiries_.due(now, expired_at_a_time);
  if (due.empty()) {
    expiring_ = false;
    return;
  }
  Command command{std::string(document::sessions_collection), now, ExpireSessions{std::move(due)}};
  submit(std::move(command), [this](const Result<Outcome>&) { expiring_ = false; });
}

Engine::WaitNumber Engine::Writer::when_reached(document::Revision revision,
                                                std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    // The store gets its new revision before `call_waits` locks, so that no wait is missed.
    if (store_.revision() < revision) {
      waits_.insert({revision, {next_wait_, std::move(callback)}});
      return next_wait_++;
    }
  }
  callback();
  return 0;
}

void Engine::Writer::forget(WaitNumber wait) {
  const std::lock_guard lock(mutex_);
  std::erase_if(waits_, [&](const auto& waiting) { return waiting.second.number == wait; });
}

Figures Engine::Writer::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures = figures_;
  figures.waiting = queue_.size();
  return figures;
}

void Engine::Writer::run() {
  for (;;) {
    std::vector<Job> group = take_group();
    if (group.empty() && stopping()) return;
    if (!group.empty()) carry_out(group);
    if (wants_indexing()) build_indexes();
  }
}

bool Engine::Writer::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool Engine::Writer::wants_indexing() const {
  return store_.wants_indexing() && Clock::now() >= next_indexing_;
}

void Engine::Writer::build_indexes() {
  // Without room, or with a broken disk, it is not tried again and again.
  if (!store_.index_for(indexing_step)) next_indexing_ = Clock::now() + indexing_pause;
}

std::vector<Engine::Writer::Job> Engine::Writer::take_group() {
  std::vector<Job> group;
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty() || wants_indexing(); });
  std::size_t weight = 0;
  while (!queue_.empty() && group.size() < group_commands_max) {
    weight += queue_.front().weight;
    if (!group.empty() && weight > group_bytes_max) break;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

void Engine::Writer::carry_out(std::span<Job> group) {
  while (group.size() > 1) {
    auto outcomes = attempt(group, false);
    if (!outcomes) {
      {
        const std::lock_guard lock(mutex_);
        ++figures_.failed_groups;
      }
      for (Job& job : group) carry_out_alone(job);
      return;
    }
    const std::size_t done = outcomes->size();
    finish(group.first(done), std::move(*outcomes));
    group = group.subspan(done);
  }
  if (!group.empty()) carry_out_alone(group.front());
}

void Engine::Writer::carry_out_alone(Job& job) {
  const std::span<Job> alone(&job, 1);
  auto outcomes = attempt(alone, false);
  if (!outcomes && outcomes.error().code == Errc::out_of_space && only_removes(job.command)) {
    outcomes = attempt(alone, true);
  }
  finish(alone, outcomes ? std::move(*outcomes) : Outcomes{outcomes.error()});
}

Result<Engine::Writer::Outcomes> Engine::Writer::attempt(std::span<Job> jobs, bool use_reserve) {
  auto transaction = store_.begin();
  if (!transaction) return transaction.error();
  if (use_reserve) (*transaction)->use_reserve();
  Outcomes outcomes;
  outcomes.reserve(jobs.size());
  bool changed = false;
  for (Job& job : jobs) {
    outcomes.push_back(apply(**transaction, job.command, limits_));
    const Result<Outcome>& outcome = outcomes.back();
    if (!outcome && !is_of_command(outcome.error())) return outcome.error();
    changed = changed || (outcome && outcome->commit != nullptr);
    if ((*transaction)->bytes_written() > transaction_bytes_max) break;
  }
  if (changed) {
    if (auto done = (*transaction)->commit(); !done) return done.error();
  }
  return outcomes;
}

void Engine::Writer::finish(std::span<Job> jobs, Outcomes outcomes) {
  std::vector<document::CommitPtr> commits;
  std::size_t changes = 0;
  for (const Result<Outcome>& outcome : outcomes) {
    if (!outcome || outcome->commit == nullptr) continue;
    commits.push_back(outcome->commit);
    changes += outcome->changes.size();
    expiries_.follow(outcome->commit->sessions);
  }
  if (!commits.empty()) {
    {
      const std::lock_guard lock(mutex_);
      figures_.commits += commits.size();
      figures_.changes += changes;
      ++figures_.groups;
    }
    if (listener_ != nullptr) listener_->committed(commits);
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].completion(std::move(outcomes[i]));
  }
  call_waits();
}

void Engine::Writer::call_waits() {
  std::vector<Wait> reached;
  {
    const std::lock_guard lock(mutex_);
    const auto end = waits_.upper_bound(store_.revision());
    for (auto wait = waits_.begin(); wait != end; ++wait) {
      reached.push_back(std::move(wait->second));
    }
    waits_.erase(waits_.begin(), end);
  }
  for (const Wait& wait : reached) wait.callback();
}

}  // namespace doctor::engine
