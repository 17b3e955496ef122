// What do reading, finding and comparing documents cost?

#include <string>

#include <benchmark/benchmark.h>
#include <simdjson.h>

#include "doctor/document/document.hpp"

namespace doctor::document {
namespace {

// A virtual machine of 30 fields.
std::string machine(int number) {
  const std::string n = std::to_string(number);
  std::string text = R"({"id":"3f2504e0-4f89-11d3-9a0c-)" + std::to_string(100'000'000 + number) +
                     R"(","name":"vm-)" + n +
                     R"(","status":"up","cluster":"c-12","memory":17179869184)";
  for (int i = 0; i < 25; ++i) {
    text += ",\"field_" + std::to_string(i) + "\":\"value " + n + '"';
  }
  return text + '}';
}

std::string machines(int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i) text += (i > 0 ? "," : "") + machine(i);
  return text + "]";
}

Document parsed(const std::string& text) {
  return parse_document(text, {}, Limits{}).value();
}

void parse_many(benchmark::State& state) {
  const std::string body = machines(100'000);
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_documents(body, IdRule::document, Limits{}).value().size());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}
BENCHMARK(parse_many)->Unit(benchmark::kMillisecond);

void simdjson_dom(benchmark::State& state) {
  const simdjson::padded_string body(machines(100'000));
  simdjson::dom::parser parser;
  for (auto _ : state) {
    simdjson::dom::element root;
    if (parser.parse(body).get(root) != simdjson::SUCCESS) state.SkipWithError("refused");
    benchmark::DoNotOptimize(root);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}
BENCHMARK(simdjson_dom)->Unit(benchmark::kMillisecond);

void parse_one(benchmark::State& state) {
  const std::string body = machine(1);
  for (auto _ : state) benchmark::DoNotOptimize(parse_document(body, {}, Limits{}).value());
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}
BENCHMARK(parse_one);

void find_field(benchmark::State& state) {
  const Document document = parsed(machine(1));
  const FieldName name(state.range(0) == 0 ? "name" : "field_24");
  for (auto _ : state) benchmark::DoNotOptimize(document.view().find(name));
}
BENCHMARK(find_field)->ArgName("last")->Arg(0)->Arg(1);

void diff_of_the_same_text(benchmark::State& state) {
  const Document before = parsed(machine(1));
  const Document after = parsed(machine(1));
  for (auto _ : state) benchmark::DoNotOptimize(changed_fields(before.view(), after.view()));
}
BENCHMARK(diff_of_the_same_text);

void diff_of_all_fields(benchmark::State& state) {
  const Document before = parsed(machine(1));
  const Document after = parsed(machine(2));
  for (auto _ : state) benchmark::DoNotOptimize(changed_fields(before.view(), after.view()));
}
BENCHMARK(diff_of_all_fields);

void shallow_patch(benchmark::State& state) {
  const Document before = parsed(machine(1));
  const Limits limits;
  for (auto _ : state) {
    const auto patch = Patch::parse(PatchKind::shallow, R"({"status":"down"})", limits).value();
    benchmark::DoNotOptimize(patch.apply(before.view(), IdRule::document, limits).value());
  }
}
BENCHMARK(shallow_patch);

}  // namespace
}  // namespace doctor::document
