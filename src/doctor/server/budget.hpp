#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace doctor::server {

/// So many of something, shared by all threads.
class Budget {
 public:
  explicit Budget(std::size_t total) : total_(total) {}

  bool take(std::size_t count) {
    std::size_t used = used_.load(std::memory_order_relaxed);
    do {
      if (count > total_ - used) return false;
    } while (!used_.compare_exchange_weak(used, used + count, std::memory_order_relaxed));
    return true;
  }
  void give_back(std::size_t count) { used_.fetch_sub(count, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  std::size_t total() const { return total_; }

 private:
  const std::size_t total_;
  std::atomic<std::size_t> used_{0};
};

/// A part of a budget, given back when it goes.
class Share {
 public:
  Share() = default;
  explicit Share(Budget& budget) : budget_(&budget) {}
  Share(Share&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  Share& operator=(Share&& other) noexcept {
    release();
    budget_ = std::exchange(other.budget_, nullptr);
    count_ = std::exchange(other.count_, 0);
    return *this;
  }
  ~Share() { release(); }

  /// Makes the share at least this large; false, and as it was, if the budget has not that much.
  bool grow_to(std::size_t count) {
    if (count <= count_) return true;
    if (!budget_->take(count - count_)) return false;
    count_ = count;
    return true;
  }
  void release() {
    if (count_ > 0) budget_->give_back(std::exchange(count_, 0));
  }

 private:
  Budget* budget_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace doctor::server
