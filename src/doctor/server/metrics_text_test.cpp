#include "doctor/server/metrics_text.hpp"

#include <gtest/gtest.h>

namespace doctor::server {
namespace {

using std::chrono::microseconds;

TEST(MetricsText, AFamilyHasHelpTypeAndSamples) {
  MetricsText out;
  out.single("doctor_commits_total", "counter", "Commits.", 7);
  EXPECT_EQ(out.take(),
            "# HELP doctor_commits_total Commits.\n# TYPE doctor_commits_total counter\n"
            "doctor_commits_total 7\n");
}

TEST(MetricsText, LabelsAreEscaped) {
  MetricsText out;
  out.sample("x", {{"a", "1"}, {"b", "q\"\\\n"}}, std::uint64_t{2});
  EXPECT_EQ(out.take(), "x{a=\"1\",b=\"q\\\"\\\\\\n\"} 2\n");
}

TEST(RequestFigures, AreCountedByRouteMethodAndStatus) {
  RequestFigures figures;
  figures.record("/entities/{c}", "GET", 200, microseconds(60));
  figures.record("/entities/{c}", "GET", 404, microseconds(600'000));
  figures.record("/entities/{c}", "PUT", 200, microseconds(20'000'000));
  figures.record("/entities/{c}", "BREW", 405, microseconds(1));
  const auto rows = figures.rows();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].by_status, (std::vector<std::pair<int, std::uint64_t>>{{200, 1}, {404, 1}}));
  EXPECT_EQ(rows[0].buckets[1], 1u);
  EXPECT_EQ(rows[1].buckets.back(), 1u);
  EXPECT_EQ(rows[2].method, "other");
}

TEST(RequestFigures, APeerCannotMakeSeriesWithoutEnd) {
  RequestFigures figures;
  for (int i = 0; i < 10'000; ++i) {
    figures.record("/" + std::to_string(i), "GET", 200, microseconds(1));
  }
  EXPECT_LE(figures.rows().size(), 96u);
}

TEST(RequestFigures, ThreadsAreAddedUpAndBucketsAreCumulative) {
  RequestFigures one;
  RequestFigures two;
  one.record("/", "GET", 200, microseconds(50));
  two.record("/", "GET", 200, microseconds(70));
  two.record("/", "GET", 500, microseconds(11'000'000));
  auto rows = one.rows();
  for (auto& row : two.rows()) rows.push_back(std::move(row));
  MetricsText out;
  write_requests(out, merged(std::move(rows)));
  const std::string text = out.take();
  const auto has = [&text](std::string_view line) {
    return text.find("\n" + std::string(line) + "\n") != std::string::npos;
  };
  EXPECT_TRUE(has("doctor_http_requests_total{route=\"/\",method=\"GET\",status=\"200\"} 2"));
  EXPECT_TRUE(has("doctor_http_requests_total{route=\"/\",method=\"GET\",status=\"500\"} 1"));
  const std::string bucket =
      "doctor_http_request_duration_seconds_bucket{route=\"/\",method=\"GET\",le=\"";
  EXPECT_TRUE(has(bucket + "5e-05\"} 1"));
  EXPECT_TRUE(has(bucket + "0.0001\"} 2"));
  EXPECT_TRUE(has(bucket + "10\"} 2"));
  EXPECT_TRUE(has(bucket + "+Inf\"} 3"));
  EXPECT_TRUE(has("doctor_http_request_duration_seconds_sum{route=\"/\",method=\"GET\"} 11.00012"));
  EXPECT_TRUE(has("doctor_http_request_duration_seconds_count{route=\"/\",method=\"GET\"} 3"));
}

}  // namespace
}  // namespace doctor::server
