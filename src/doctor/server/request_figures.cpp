#include "doctor/server/request_figures.hpp"

#include <algorithm>

namespace doctor::server {
namespace {

constexpr std::array<std::string_view, 7> known_methods = {"GET",   "HEAD",   "POST",   "PUT",
                                                           "PATCH", "DELETE", "OPTIONS"};

}  // namespace

RequestFigures::Series& RequestFigures::series(std::string_view route, std::string_view method) {
  const std::size_t count = count_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < count; ++i) {
    Series& known = *series_[i];
    if (known.route == route && known.method == method) return known;
  }
  if (count == series_max) return *series_.back();
  auto added = std::make_unique<Series>();
  added->route = route;
  added->method = method;
  series_[count] = std::move(added);
  count_.store(count + 1, std::memory_order_release);
  return *series_[count];
}

void RequestFigures::record(std::string_view route, std::string_view method, int status,
                            std::chrono::nanoseconds took) {
  // A peer can send any method: it must not be able to make series.
  if (std::find(known_methods.begin(), known_methods.end(), method) == known_methods.end()) {
    method = "other";
  }
  Series& into = series(route, method);
  add(into.by_status[static_cast<std::size_t>(std::clamp(status, 100, 599) - 100)], 1);
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), took);
  add(into.buckets[static_cast<std::size_t>(bucket - bounds.begin())], 1);
  add(into.nanoseconds, static_cast<std::uint64_t>(took.count()));
}

std::vector<RequestFigures::Row> RequestFigures::rows() const {
  std::vector<Row> rows;
  const std::size_t count = count_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i) {
    const Series& from = *series_[i];
    Row& row = rows.emplace_back();
    row.route = from.route;
    row.method = from.method;
    for (std::size_t status = 0; status < from.by_status.size(); ++status) {
      const std::uint64_t requests = from.by_status[status].load(std::memory_order_relaxed);
      if (requests > 0) row.by_status.emplace_back(static_cast<int>(status) + 100, requests);
    }
    for (std::size_t b = 0; b < row.buckets.size(); ++b) {
      row.buckets[b] = from.buckets[b].load(std::memory_order_relaxed);
    }
    row.nanoseconds = from.nanoseconds.load(std::memory_order_relaxed);
  }
  return rows;
}

}  // namespace doctor::server
