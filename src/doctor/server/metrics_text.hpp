#pragma once

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
  /// A family of one sample without labels.
  void single(std::string_view name, std::string_view type, std::string_view help,
              std::uint64_t value);

  std::string take() { return std::move(text_); }

 private:
  void begin_sample(std::string_view name, Labels labels);
  std::string text_;
};

/// The rows of several threads as one for each route and method.
std::vector<RequestFigures::Row> merged(std::vector<RequestFigures::Row> rows);

/// doctor_http_requests_total and doctor_http_request_duration_seconds.
void write_requests(MetricsText& out, std::span<const RequestFigures::Row> rows);

}  // namespace doctor::server
