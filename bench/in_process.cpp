// What the engine itself costs, without HTTP: on a store of its own in a temporary directory.
//
//   in_process joined | seeds_example | filter_and_order | bulk | open
//
// Prints lines of "name value unit"; each value is the median of several rounds.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <simdjson.h>

#include "doctor/document/document.hpp"
#include "doctor/engine/engine.hpp"
#include "doctor/query/query.hpp"
#include "doctor/store/store.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using namespace doctor;

const Limits limits;

[[noreturn]] void fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.detail.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result) fail(result.error());
  return std::move(*result);
}

/// A store in a directory that goes when it does, with its engine.
class House {
 public:
  House()
      : directory_(std::filesystem::temp_directory_path() /
                   ("doctor-bench-" + std::to_string(getpid()))) {
    open();
  }
  ~House() {
    close();
    std::filesystem::remove_all(directory_);
  }
  void open() {
    store::Options options;
    options.directory = directory_;
    store_ = must(store::Store::open(options));
    engine_ = std::make_unique<engine::Engine>(*store_, limits, nullptr);
  }
  void close() {
    engine_.reset();
    store_.reset();
  }
  /// PUT of an array, from its text to its durable commit.
  engine::Outcome replace_all(const std::string& collection, std::string_view body) {
    auto documents = must(document::parse_documents(body, document::IdRule::document, limits));
    return submit({collection, Timestamp{0}, engine::ReplaceAll{std::move(documents)}});
  }
  engine::Outcome upsert(const std::string& collection, std::string_view body) {
    auto documents = must(document::parse_documents(body, document::IdRule::document, limits));
    return submit({collection, Timestamp{0}, engine::Upsert{std::move(documents)}});
  }
  std::unique_ptr<store::Snapshot> snapshot() const { return engine_->snapshot(); }

 private:
  engine::Outcome submit(engine::Command command) {
    std::promise<Result<engine::Outcome>> promise;
    engine_->submit(std::move(command), [&](Result<engine::Outcome> outcome) {
      promise.set_value(std::move(outcome));
    });
    return must(promise.get_future().get());
  }

  std::filesystem::path directory_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::Engine> engine_;
};

double seconds_of(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median_seconds(int rounds, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) times.push_back(seconds_of(work));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void print(std::string_view name, double value, std::string_view unit) {
  std::printf("%.*s %.3f %.*s\n", static_cast<int>(name.size()), name.data(), value,
              static_cast<int>(unit.size()), unit.data());
}

std::string vm(unsigned number, unsigned memory) {
  const std::string n = std::to_string(number);
  return R"({"id":"vm-)" + n + R"(","name":"Virtual machine )" + n + R"(","status":")" +
         (number % 4 == 0 ? "up" : "down") + R"(","cluster":"cl-)" +
         std::to_string(number * 7 % 100) + R"(","memory":)" + std::to_string(memory) +
         R"(,"cpus":)" + std::to_string(1 + number % 16) +
         R"(,"description":"A virtual machine of the benchmark's inventory","address":{"city":"Brno","rack":)" +
         std::to_string(number % 40) + R"(,"ip":"10.0.0.1"},"tags":["bench","group-)" +
         std::to_string(number % 10) + R"("]})";
}

std::string array(unsigned count, const std::function<std::string(unsigned)>& document,
                  unsigned from = 0) {
  std::string text = "[";
  for (unsigned i = 0; i < count; ++i) {
    if (i > 0) text += ',';
    text += document(from + i);
  }
  return text += ']';
}

std::string plain(const std::string& id, const std::string& fields) {
  return R"({"id":")" + id + R"(",)" + fields + "}";
}

void list(const House& house, const std::string& collection, const query::Query& query,
          std::string& out) {
  out.clear();
  const auto snapshot = house.snapshot();
  must(query::list(*snapshot, collection, query, {}, limits, out));
}

query::Query query_of(std::string_view text, std::string_view collection) {
  return must(query::Query::parse(text, collection, false, limits));
}

void joined() {
  House house;
  house.replace_all("data_center", array(10, [](unsigned n) {
                      return plain("dc-" + std::to_string(n),
                                   R"("name":"Data center )" + std::to_string(n) + "\"");
                    }));
  house.replace_all("cluster", array(100, [](unsigned n) {
                      return plain("cl-" + std::to_string(n),
                                   R"("name":"Cluster )" + std::to_string(n) +
                                       R"(","data_center":"dc-)" + std::to_string(n % 10) + "\"");
                    }));
  house.replace_all("vm", array(20'000, [](unsigned n) { return vm(n, 1024); }));
  std::string out;
  const auto query =
      query_of(R"({"select":["id","name","@cluster.name","@cluster.@data_center.name"]})", "vm");
  print("joined_ns_per_row",
        median_seconds(51, [&] { list(house, "vm", query, out); }) * 1e9 / 20'000, "ns");
  const auto two = query_of(R"({"select":["id","name"]})", "vm");
  print("two_fields_ns_per_row",
        median_seconds(51, [&] { list(house, "vm", two, out); }) * 1e9 / 20'000, "ns");
  print("whole_ns_per_row",
        median_seconds(51, [&] { list(house, "vm", query::Query(), out); }) * 1e9 / 20'000, "ns");
}

void seeds_example() {
  House house;
  std::string disks = "[";
  std::string vms = "[";
  std::string clusters = "[";
  std::string data_centers = "[";
  const auto add = [](std::string& text, const std::string& document) {
    if (text.size() > 1) text += ',';
    text += document;
  };
  for (int d = 0; d < 10; ++d) {
    const std::string data_center = "d" + std::to_string(d);
    add(data_centers, plain(data_center, R"("name":"DC","version":"3.5")"));
    for (int c = 0; c < 10; ++c) {
      const std::string cluster = data_center + "c" + std::to_string(c);
      add(clusters, plain(cluster, R"("name":"Default","version":"3.6","data_center":")" +
                                       data_center + "\""));
      for (int v = 0; v < 20; ++v) {
        const std::string machine = cluster + "v" + std::to_string(v);
        add(vms, plain(machine, R"("name":"vm","status":"up","cluster":")" + cluster + "\""));
        for (int k = 0; k < 2; ++k) {
          add(disks, plain(machine + "k" + std::to_string(k),
                           R"("name":"My disk","size":1024,"vm":")" + machine + "\""));
        }
      }
    }
  }
  house.replace_all("data_center", data_centers + "]");
  house.replace_all("cluster", clusters + "]");
  house.replace_all("vm", vms + "]");
  house.replace_all("disk", disks + "]");
  std::string out;
  const auto query =
      query_of(R"q({"select":["*","@[cluster](name,version,@[vm](name,status,@[disk].name))"]})q",
               "data_center");
  print("seeds_example_ms",
        median_seconds(31, [&] { list(house, "data_center", query, out); }) * 1e3, "ms");
}

void filter_and_order() {
  House house;
  house.replace_all("vm",
                    array(100'000, [](unsigned n) { return vm(n, 1024 * (1 + n * 31 % 64)); }));
  std::string out;
  const auto time = [&](std::string_view name, std::string_view text) {
    const auto query = query_of(text, "vm");
    print(name, median_seconds(11, [&] { list(house, "vm", query, out); }) * 1e3, "ms");
  };
  time("filter_100k_ms", R"({"select":["id"],"where":{"status":"up","memory":{"$gte":32768}}})");
  time("glob_100k_ms", R"({"select":["id"],"where":{"name":"*machine 1*7"}})");
  time("order_first_50_of_100k_ms", R"({"select":["id"],"orderBy":["-memory","name"],"limit":50})");
  time("order_all_100k_ms", R"({"select":["id"],"orderBy":["-memory","name"]})");
}

void bulk() {
  constexpr unsigned count = 100'000;
  const std::string first = array(count, [](unsigned n) { return vm(n, 1024); });
  const std::string one = array(count, [](unsigned n) { return vm(n, n == 50'000 ? 2048 : 1024); });
  const std::string all = array(count, [](unsigned n) { return vm(n, 4096); });
  const simdjson::padded_string padded(first);
  simdjson::dom::parser parser;
  const double parse = median_seconds(5, [&] {
    if (parser.parse(padded).error() != simdjson::SUCCESS) std::abort();
  });
  print("body_mib", static_cast<double>(first.size()) / (1 << 20), "MiB");
  print("simdjson_parse_ms", parse * 1e3, "ms");

  std::vector<double> load;
  std::vector<double> unchanged;
  std::vector<double> one_changed;
  std::vector<double> all_changed;
  for (int round = 0; round < 3; ++round) {
    House house;
    load.push_back(seconds_of([&] { house.replace_all("vm", first); }));
    unchanged.push_back(seconds_of([&] { house.replace_all("vm", first); }));
    one_changed.push_back(seconds_of([&] { house.replace_all("vm", one); }));
    all_changed.push_back(seconds_of([&] { house.replace_all("vm", all); }));
  }
  const auto report = [&](std::string name, std::vector<double> times) {
    std::sort(times.begin(), times.end());
    print("bulk_" + name + "_ms", times[1] * 1e3, "ms");
    print("bulk_" + name + "_ratio", times[1] / parse, "x");
  };
  report("first_load", load);
  report("unchanged", unchanged);
  report("one_changed", one_changed);
  report("all_changed", all_changed);
}

double resident_mib(const char* field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field))
      return std::strtod(line.c_str() + line.find(':') + 1, nullptr) / 1024;
  }
  return 0;
}

void open() {
  House house;
  for (unsigned from = 0; from < 1'000'000; from += 50'000) {
    house.upsert("vm", array(50'000, [](unsigned n) { return vm(n, 1024); }, from));
  }
  house.close();
  std::vector<double> times;
  for (int round = 0; round < 5; ++round) {
    times.push_back(seconds_of([&] {
      house.open();
      const auto snapshot = house.snapshot();
      if (!snapshot->find(*snapshot->collection("vm"), "vm-777777")) std::abort();
    }));
    if (round < 4) house.close();
  }
  std::sort(times.begin(), times.end());
  print("open_million_ms", times[2] * 1e3, "ms");
  print("anonymous_memory_million_mib", resident_mib("RssAnon"), "MiB");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "joined")
    joined();
  else if (what == "seeds_example")
    seeds_example();
  else if (what == "filter_and_order")
    filter_and_order();
  else if (what == "bulk")
    bulk();
  else if (what == "open")
    open();
  else {
    std::fprintf(stderr,
                 "usage: in_process joined | seeds_example | filter_and_order | bulk | open\n");
    return 2;
  }
}
