#include "doctor/server/metrics_text.hpp"

#include <array>
#include <cstdio>
#include <map>

namespace doctor::server {
namespace {

std::string in_seconds(double nanoseconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", nanoseconds / 1e9);
  return text.data();
}

}  // namespace

void MetricsText::family(std::string_view name, std::string_view type, std::string_view help) {
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  text_.append(name).append(" ").append(type).append("\n");
}

void MetricsText::begin_sample(std::string_view name, Labels labels, std::string_view bound) {
  text_ += name;
  char separator = '{';
  const auto add = [&](std::string_view label, std::string_view value) {
    text_ += separator;
    text_.append(label).append("=\"");
    for (const char c : value) {
      if (c == '"' || c == '\\') text_ += '\\';
      if (c == '\n') {
        text_ += "\\n";
      } else {
        text_ += c;
      }
    }
    text_ += '"';
    separator = ',';
  };
  for (const auto& [label, value] : labels) add(label, value);
  if (!bound.empty()) add("le", bound);
  if (separator == ',') text_ += '}';
  text_ += ' ';
}

void MetricsText::sample(std::string_view name, Labels labels, std::uint64_t value) {
  begin_sample(name, labels);
  text_.append(std::to_string(value)).append("\n");
}

void MetricsText::sample(std::string_view name, Labels labels, double value) {
  begin_sample(name, labels);
  text_.append(in_seconds(value * 1e9)).append("\n");
}

void MetricsText::single(std::string_view name, std::string_view type, std::string_view help,
                         std::uint64_t value) {
  family(name, type, help);
  sample(name, {}, value);
}

void MetricsText::histogram(
    std::string_view name, Labels labels,
    const std::array<std::uint64_t, RequestFigures::bounds.size() + 1>& buckets,
    std::uint64_t nanoseconds) {
  const std::string family(name);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    count += buckets[i];
    const std::string bound =
        i < RequestFigures::bounds.size()
            ? in_seconds(static_cast<double>(RequestFigures::bounds[i].count()) * 1e3)
            : "+Inf";
    begin_sample(family + "_bucket", labels, bound);
    text_.append(std::to_string(count)).append("\n");
  }
  sample(family + "_sum", labels, static_cast<double>(nanoseconds) / 1e9);
  sample(family + "_count", labels, count);
}

std::vector<RequestFigures::Row> merged(std::vector<RequestFigures::Row> rows) {
  std::map<std::pair<std::string, std::string>, RequestFigures::Row> by_name;
  for (RequestFigures::Row& row : rows) {
    const auto [place, added] = by_name.try_emplace({row.route, row.method}, row);
    if (added) continue;
    RequestFigures::Row& into = place->second;
    std::map<int, std::uint64_t> by_status(into.by_status.begin(), into.by_status.end());
    for (const auto& [status, count] : row.by_status) by_status[status] += count;
    into.by_status.assign(by_status.begin(), by_status.end());
    for (std::size_t i = 0; i < into.buckets.size(); ++i) into.buckets[i] += row.buckets[i];
    into.nanoseconds += row.nanoseconds;
  }
  rows.clear();
  for (auto& [name, row] : by_name) rows.push_back(std::move(row));
  return rows;
}

void write_requests(MetricsText& out, std::span<const RequestFigures::Row> rows) {
  out.family("doctor_http_requests_total", "counter", "Requests answered.");
  for (const auto& row : rows) {
    for (const auto& [status, count] : row.by_status) {
      out.sample("doctor_http_requests_total",
                 {{"route", row.route}, {"method", row.method}, {"status", std::to_string(status)}},
                 count);
    }
  }
  out.family("doctor_http_request_duration_seconds", "histogram",
             "From the head of a request to its answer.");
  for (const auto& row : rows) {
    out.histogram("doctor_http_request_duration_seconds",
                  {{"route", row.route}, {"method", row.method}}, row.buckets, row.nanoseconds);
  }
}

}  // namespace doctor::server
