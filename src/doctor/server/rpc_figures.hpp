#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "doctor/rpc/service.hpp"
#include "doctor/server/metrics_text.hpp"
#include "doctor/server/request_figures.hpp"

namespace doctor::server {

/// Calls of JSON-RPC by method and by what came of them, with a histogram of how long each method
/// took, waiting included. One thread records, any thread reads.
class RpcFigures {
 public:
  RpcFigures();

  /// @param method  as it was sent; those that there are not are counted together
  void record(std::string_view method, const rpc::Answer& answer, std::chrono::nanoseconds took);
  /// doctor_rpc_calls_total and doctor_rpc_call_duration_seconds, of methods that were called.
  void write(MetricsText& out) const;

 private:
  static constexpr auto& bounds = RequestFigures::bounds;
  static constexpr std::array<std::string_view, 4> outcomes{"result", "wrong", "refused", "failed"};

  using Counter = std::atomic<std::uint64_t>;
  struct Row {
    std::string_view method;
    std::array<Counter, outcomes.size()> by_outcome{};
    std::array<Counter, bounds.size() + 1> buckets{};
    Counter nanoseconds{0};
  };
  static std::size_t outcome_of(const rpc::Answer& answer);

  std::vector<Row> rows_;  // one for each method that there is, and the last for all others
};

}  // namespace doctor::server
