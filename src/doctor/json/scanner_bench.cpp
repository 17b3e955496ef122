// How fast is text read strictly, against simdjson's parser, and how fast are stored values walked?

#include <random>
#include <string>

#include <benchmark/benchmark.h>
#include <simdjson.h>

#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"

namespace doctor::json {
namespace {

enum class Style { compact, blanks, indented };

// An inventory of virtual machines, as oVirt's engine tells it.
std::string machines(int count, Style style) {
  std::mt19937 random(1);
  const auto uuid = [&] {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (int i = 0; i < 36; ++i) {
      text += i == 8 || i == 13 || i == 18 || i == 23 ? '-' : digits[random() & 15];
    }
    return text;
  };
  const char* colon = style == Style::compact ? ":" : ": ";
  const char* comma = style == Style::compact ? "," : style == Style::blanks ? ", " : ",\n    ";
  std::string text = "[";
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += comma;
    text += '{';
    bool first = true;
    const auto field = [&](const std::string& name, const std::string& value) {
      if (!first) text += comma;
      first = false;
      text += '"' + name + '"' + colon + value;
    };
    field("id", '"' + uuid() + '"');
    field("name", "\"vm-" + std::to_string(i) + '"');
    field("description", "\"web server number " + std::to_string(i) + " of the shop\"");
    field("status", i % 3 == 0 ? "\"down\"" : "\"up\"");
    field("cluster", '"' + uuid() + '"');
    field("host", '"' + uuid() + '"');
    field("memory", std::to_string(random()));
    field("cpu_cores", std::to_string(random() % 64));
    field("cpu_usage", "0." + std::to_string(random() % 1000));
    field("stateless", i % 2 == 0 ? "true" : "false");
    field("fqdn", "null");
    field("disk", "[\"" + uuid() + '"' + comma + '"' + uuid() + "\"]");
    field("os", std::string("{\"type\"") + colon + "\"rhel_9x64\"" + comma + "\"boot\"" + colon +
                    "[\"hd\"]}");
    text += '}';
  }
  return text + "]";
}

std::string machines(const benchmark::State& state) {
  return machines(20'000, static_cast<Style>(state.range(0)));
}

void count_bytes(benchmark::State& state, const std::string& text) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void compact_text(benchmark::State& state) {
  const std::string text = machines(state);
  for (auto _ : state) benchmark::DoNotOptimize(compact(text, 64).value().size());
  count_bytes(state, text);
}
BENCHMARK(compact_text)->ArgName("style")->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

void simdjson_dom(benchmark::State& state) {
  const simdjson::padded_string text(machines(state));
  simdjson::dom::parser parser;
  for (auto _ : state) {
    simdjson::dom::element root;
    if (parser.parse(text).get(root) != simdjson::SUCCESS) state.SkipWithError("refused");
    benchmark::DoNotOptimize(root);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(simdjson_dom)->ArgName("style")->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

void measure_values(benchmark::State& state) {
  const std::string text = machines(20'000, Style::compact);
  for (auto _ : state) benchmark::DoNotOptimize(value_length(text));
  count_bytes(state, text);
}
BENCHMARK(measure_values)->Unit(benchmark::kMillisecond);

void walk_members(benchmark::State& state) {
  const std::string text = machines(20'000, Style::compact);
  for (auto _ : state) {
    std::size_t size = 0;
    for (const std::string_view machine : Elements(text)) {
      for (const Member& member : Members(machine)) size += member.value.size();
    }
    benchmark::DoNotOptimize(size);
  }
  count_bytes(state, text);
}
BENCHMARK(walk_members)->Unit(benchmark::kMillisecond);

// Equal but for the spelling of one number, at the end.
void compare_values(benchmark::State& state) {
  const std::string text = machines(20'000, Style::compact);
  const std::string a = "[" + text + ",1]";
  const std::string b = "[" + text + ",1.0]";
  for (auto _ : state) {
    if (!equal(a, b)) state.SkipWithError("not equal");
  }
  count_bytes(state, text);
}
BENCHMARK(compare_values)->Unit(benchmark::kMillisecond);

void compare_two_numbers(benchmark::State& state) {
  const std::string a = "17179869184";
  const std::string b = state.range(0) == 0 ? "17179869185" : "17179869185.5";
  for (auto _ : state) benchmark::DoNotOptimize(compare_numbers(a, b));
}
BENCHMARK(compare_two_numbers)->ArgName("fraction")->Arg(0)->Arg(1);

}  // namespace
}  // namespace doctor::json
