#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "doctor/server/request_figures.hpp"

namespace doctor::server {

/// Writes the Prometheus text format: families, each with its samples.
class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void family(std::string_view name, std::string_view type, std::string_view help);
  void sample(std::string_view name, Labels labels, std::uint64_t value);
  void sample(std::string_view name, Labels labels, double value);
  /// The samples of one histogram.
  /// @param buckets  see RequestFigures::Row: how many took how long
  void histogram(std::string_view name, Labels labels,
                 const std::array<std::uint64_t, RequestFigures::bounds.size() + 1>& buckets,
                 std::uint64_t nanoseconds);
  /// A family of one sample without labels.
  void single(std::string_view name, std::string_view type, std::string_view help,
              std::uint64_t value);

  std::string take() { return std::move(text_); }

 private:
  /// @param bound  of a bucket of a histogram; empty: none
  void begin_sample(std::string_view name, Labels labels, std::string_view bound = {});
  std::string text_;
};

/// The rows of several threads as one for each route and method.
std::vector<RequestFigures::Row> merged(std::vector<RequestFigures::Row> rows);

/// doctor_http_requests_total and doctor_http_request_duration_seconds.
void write_requests(MetricsText& out, std::span<const RequestFigures::Row> rows);

}  // namespace doctor::server
