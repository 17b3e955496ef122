// What does a row of a list cost, with two forward references, a filter, an order?

#include <random>
#include <string>

#include <benchmark/benchmark.h>

#include "doctor/document/memory_view.hpp"
#include "doctor/query/query.hpp"

namespace doctor::query {
namespace {

constexpr int rows = 20'000;

std::string uuid(std::mt19937& random) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < 36; ++i) {
    text += i == 8 || i == 13 || i == 18 || i == 23 ? '-' : digits[random() & 15];
  }
  return text;
}

// 20 000 virtual machines in 100 clusters of 10 data centers, as oVirt's engine tells them.
const document::MemoryView& inventory() {
  static const auto view = [] {
    auto made = std::make_unique<document::MemoryView>();
    std::mt19937 random(1);
    std::vector<std::string> centers, clusters;
    for (int i = 0; i < 10; ++i) {
      centers.push_back(uuid(random));
      made->put("data_center", R"({"id":")" + centers.back() + R"(","name":"Data Center )" +
                                   std::to_string(i) + R"("})");
    }
    for (int i = 0; i < 100; ++i) {
      clusters.push_back(uuid(random));
      made->put("cluster", R"({"id":")" + clusters.back() + R"(","name":"Cluster )" +
                               std::to_string(i) + R"(","data_center":")" + centers[random() % 10] +
                               R"("})");
    }
    for (int i = 0; i < rows; ++i) {
      made->put("vm", R"({"id":")" + uuid(random) + R"(","name":"vm-)" + std::to_string(i) +
                          R"(","status":")" + (i % 3 == 0 ? "down" : "up") + R"(","memory":)" +
                          std::to_string(random() % 65536) +
                          R"(,"cpu_cores":4,"description":"web server","cluster":")" +
                          clusters[random() % 100] + R"(","fqdn":null})");
    }
    return made;
  }();
  return *view;
}

void run(benchmark::State& state, std::string_view collection, std::string_view text) {
  const Limits limits;
  const auto query = Query::parse(text, collection, false, limits).value();
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(list(inventory(), collection, query, "", limits, out).has_value());
  }
  state.counters["a row"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * rows,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes"] = static_cast<double>(out.size());
}

void WholeDocuments(benchmark::State& state) {
  run(state, "vm", "");
}
BENCHMARK(WholeDocuments);

void TwoForwardReferences(benchmark::State& state) {
  run(state, "vm", R"({"select":["id","name","@cluster.name","@cluster.@data_center.name"]})");
}
BENCHMARK(TwoForwardReferences);

void AFilter(benchmark::State& state) {
  run(state, "vm", R"({"select":["id"],"where":{"status":"up","memory":{"$gte":60000}}})");
}
BENCHMARK(AFilter);

void AFilterThroughAReference(benchmark::State& state) {
  run(state, "vm", R"({"select":["id"],"where":{"@cluster.name":"Cluster 7*"}})");
}
BENCHMARK(AFilterThroughAReference);

void AnOrder(benchmark::State& state) {
  run(state, "vm", R"({"select":["id"],"orderBy":["-memory","name"]})");
}
BENCHMARK(AnOrder);

void TheFirstOfAnOrder(benchmark::State& state) {
  run(state, "vm", R"({"select":["id"],"orderBy":["-memory","name"],"limit":50})");
}
BENCHMARK(TheFirstOfAnOrder);

void ReverseReferences(benchmark::State& state) {
  run(state, "cluster", R"q({"select":["id","@[vm](id,name)"]})q");
}
BENCHMARK(ReverseReferences);

void Parse(benchmark::State& state) {
  const Limits limits;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Query::parse(R"({"select":["id","name","@cluster.name","@cluster.@data_center.name"]})",
                     "vm", false, limits)
            .has_value());
  }
}
BENCHMARK(Parse);

}  // namespace
}  // namespace doctor::query
