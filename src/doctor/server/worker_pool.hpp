#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace doctor::server {

/// Threads for reads that may take long, so that they hold up no I/O thread. Any thread submits;
/// what waits is bounded by the number of connections, which have at most one each.
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads);
  ~WorkerPool() { stop(); }

  void submit(std::function<void()> work);
  /// Does what was submitted, then ends the threads.
  void stop();
  std::size_t waiting() const;

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;  // guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace doctor::server
