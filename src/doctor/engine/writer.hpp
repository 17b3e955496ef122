#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "doctor/engine/engine.hpp"
#include "doctor/engine/expiries.hpp"

namespace doctor::engine {

/// The engine's thread. It takes commands from the queue in their order, a group at a time:
///
///   apply each to one transaction -> commit (the flush) -> tell the listener -> answer each
///
/// If the disk or the map fails anywhere in a group, nothing of it has happened, and each command
/// is tried again by itself: one that cannot be written then fails alone, and one that only removes
/// may use the store's reserve.
class Engine::Writer {
 public:
  Writer(store::Store& store, const Limits& limits, Listener* listener);
  ~Writer();

  store::Store& store() const { return store_; }
  void submit(Command command, Completion completion);
  void tick(Timestamp now);
  WaitNumber when_reached(document::Revision revision, std::function<void()> callback);
  void forget(WaitNumber wait);
  Figures figures() const;

 private:
  struct Job {
    Command command;
    Completion completion;
    std::size_t weight;  ///< about how many bytes it writes
  };
  struct Wait {
    WaitNumber number;
    std::function<void()> callback;
  };

  using Outcomes = std::vector<Result<Outcome>>;

  void run();
  /// Waits for commands; none if there is only an index to build, or once the engine stops and all
  /// have been carried out.
  std::vector<Job> take_group();
  void carry_out(std::span<Job> group);
  void carry_out_alone(Job& job);
  /// One transaction of as many as it holds, at least the first. An outcome may be an error of its
  /// command; an error of all is the disk's.
  Result<Outcomes> attempt(std::span<Job> jobs, bool use_reserve);
  void finish(std::span<Job> jobs, Outcomes outcomes);
  void call_waits();
  bool stopping() const;
  bool wants_indexing() const;
  void build_indexes();

  store::Store& store_;
  const Limits limits_;
  Listener* const listener_;
  Expiries expiries_;
  std::atomic<bool> expiring_{false};
  Clock::time_point next_indexing_{};  // the writer's

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool stopping_ = false;
  std::multimap<document::Revision, Wait> waits_;
  WaitNumber next_wait_ = 1;
  Figures figures_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace doctor::engine
