#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace doctor::server {

/// Requests by route, method and status, with a histogram of how long each route and method took.
/// One thread records, any thread reads: single-writer counters, no lock.
class RequestFigures {
 public:
  /// Upper bounds of the histogram's buckets; one more is for all that took longer.
  static constexpr std::array<std::chrono::microseconds, 16> bounds = {{
      std::chrono::microseconds(50),
      std::chrono::microseconds(100),
      std::chrono::microseconds(250),
      std::chrono::microseconds(500),
      std::chrono::microseconds(1'000),
      std::chrono::microseconds(2'500),
      std::chrono::microseconds(5'000),
      std::chrono::microseconds(10'000),
      std::chrono::microseconds(25'000),
      std::chrono::microseconds(50'000),
      std::chrono::microseconds(100'000),
      std::chrono::microseconds(250'000),
      std::chrono::microseconds(500'000),
      std::chrono::microseconds(1'000'000),
      std::chrono::microseconds(2'500'000),
      std::chrono::microseconds(10'000'000),
  }};

  void record(std::string_view route, std::string_view method, int status,
              std::chrono::nanoseconds took);

  struct Row {
    std::string route;
    std::string method;
    std::vector<std::pair<int, std::uint64_t>> by_status;
    std::array<std::uint64_t, bounds.size() + 1> buckets{};  ///< not cumulative
    std::uint64_t nanoseconds = 0;
  };
  std::vector<Row> rows() const;

 private:
  using Counter = std::atomic<std::uint64_t>;
  static void add(Counter& counter, std::uint64_t count) {
    counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  struct Series {
    std::string route;
    std::string method;
    std::array<Counter, 500> by_status{};  // 100 to 599
    std::array<Counter, bounds.size() + 1> buckets{};
    Counter nanoseconds{0};
  };
  Series& series(std::string_view route, std::string_view method);

  // Routes and methods are few; should they ever not be, the last place takes the rest.
  static constexpr std::size_t series_max = 96;
  std::array<std::unique_ptr<Series>, series_max> series_;
  std::atomic<std::size_t> count_{0};  // of series_ that are there, published with release
};

}  // namespace doctor::server
