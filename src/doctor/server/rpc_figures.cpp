#include "doctor/server/rpc_figures.hpp"

#include <algorithm>

namespace doctor::server {
namespace {

void add(std::atomic<std::uint64_t>& counter, std::uint64_t count) {
  counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}

}  // namespace

RpcFigures::RpcFigures() : rows_(rpc::methods().size() + 1) {
  for (std::size_t i = 0; i < rpc::methods().size(); ++i) rows_[i].method = rpc::methods()[i].name;
  rows_.back().method = "other";
}

// Wrong are calls that are none of JSON-RPC's; refused those that the document API refuses, by the
// fault of who sent them or of the document as it is; failed those that are Doctor's own fault.
std::size_t RpcFigures::outcome_of(const rpc::Answer& answer) {
  const auto* error = std::get_if<events::RpcError>(&answer);
  if (error == nullptr) return 0;
  if (error->code < 0) return 1;
  return error->code < 500 ? 2 : 3;
}

void RpcFigures::record(std::string_view method, const rpc::Answer& answer,
                        std::chrono::nanoseconds took) {
  const rpc::Method* known = rpc::find_method(method);
  Row& row = known == nullptr ? rows_.back()
                              : rows_[static_cast<std::size_t>(known - rpc::methods().data())];
  add(row.by_outcome[outcome_of(answer)], 1);
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), took);
  add(row.buckets[static_cast<std::size_t>(bucket - bounds.begin())], 1);
  add(row.nanoseconds, static_cast<std::uint64_t>(took.count()));
}

void RpcFigures::write(MetricsText& out) const {
  out.family("doctor_rpc_calls_total", "counter", "Calls of JSON-RPC that were carried out.");
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const std::uint64_t count = row.by_outcome[i].load(std::memory_order_relaxed);
      if (count == 0) continue;
      out.sample("doctor_rpc_calls_total", {{"method", row.method}, {"outcome", outcomes[i]}},
                 count);
    }
  }
  out.family("doctor_rpc_call_duration_seconds", "histogram", "From a call to its answer.");
  for (const Row& row : rows_) {
    std::array<std::uint64_t, bounds.size() + 1> buckets{};
    std::transform(row.buckets.begin(), row.buckets.end(), buckets.begin(),
                   [](const Counter& count) { return count.load(std::memory_order_relaxed); });
    if (std::all_of(buckets.begin(), buckets.end(), [](auto count) { return count == 0; })) {
      continue;
    }
    out.histogram("doctor_rpc_call_duration_seconds", {{"method", row.method}}, buckets,
                  row.nanoseconds.load(std::memory_order_relaxed));
  }
}

}  // namespace doctor::server
