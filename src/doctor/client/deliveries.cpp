#include "doctor/client/deliveries.hpp"

#include <utility>

namespace doctor::client {

void DeliveryQueue::post(std::shared_ptr<Task> task) {
  {
    const std::scoped_lock lock(mutex_);
    if (phase_ == Phase::closed) return;
    tasks_.push_back(std::move(task));
  }
  filled_.notify_one();
}

void DeliveryQueue::work() {
  for (;;) {
    std::shared_ptr<Task> task;
    {
      std::unique_lock lock(mutex_);
      filled_.wait(lock, [&] { return phase_ != Phase::open || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task->run();
  }
}

void DeliveryQueue::enter(Phase phase) {
  std::deque<std::shared_ptr<Task>> left;
  {
    const std::scoped_lock lock(mutex_);
    phase_ = phase;
    if (phase == Phase::closed) left.swap(tasks_);
  }
  filled_.notify_all();
}

DeliveryThreads::DeliveryThreads(std::shared_ptr<DeliveryQueue> queue, std::size_t count)
    : queue_(std::move(queue)) {
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([kept = queue_] { kept->work(); });
  }
}

DeliveryThreads::~DeliveryThreads() {
  queue_->enter(DeliveryQueue::Phase::closing);
  bool within = false;
  for (std::thread& thread : threads_) {
    if (thread.get_id() == std::this_thread::get_id()) {
      within = true;
      thread.detach();  // it ends by itself, once its task returns and the queue is empty
    } else {
      thread.join();
    }
  }
  if (!within) queue_->enter(DeliveryQueue::Phase::closed);
}

}  // namespace doctor::client
