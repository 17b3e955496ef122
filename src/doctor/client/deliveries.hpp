#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "doctor/base/time.hpp"

namespace doctor::client {

/// Something to be run once, soon.
class Task {
 public:
  virtual ~Task() = default;
  virtual void run() = 0;
};

/// Where signals and answers are given: not where the socket is read, which must not wait for them.
class Deliveries {
 public:
  virtual ~Deliveries() = default;
  /// Queues it; any thread. It is never run within the call.
  virtual void post(std::shared_ptr<Task> task) = 0;
  virtual Clock::time_point now() const = 0;
};

/// What threads take tasks from, in order. It may outlive them: then it drops what it is given.
class DeliveryQueue final : public Deliveries {
 public:
  void post(std::shared_ptr<Task> task) override;
  Clock::time_point now() const override { return Clock::now(); }

 private:
  friend class DeliveryThreads;
  enum class Phase { open, closing, closed };
  void work();
  void enter(Phase phase);

  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::shared_ptr<Task>> tasks_;  // guarded by mutex_
  Phase phase_ = Phase::open;                // guarded by mutex_
};

/// Threads that run what a queue is given; with more than one, several tasks at a time.
class DeliveryThreads {
 public:
  DeliveryThreads(std::shared_ptr<DeliveryQueue> queue, std::size_t count);
  /// Once all is run that is queued; called by a task it does not wait for that one.
  ~DeliveryThreads();

 private:
  std::shared_ptr<DeliveryQueue> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace doctor::client
