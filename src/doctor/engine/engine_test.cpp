#include "doctor/engine/engine.hpp"

#include <filesystem>
#include <future>

#include <gtest/gtest.h>

namespace doctor::engine {
namespace {

TEST(Engine, ACommandIsAnsweredWhenItCanBeRead) {
  const auto directory = std::filesystem::path(testing::TempDir()) / "doctor-engine-first";
  std::filesystem::remove_all(directory);
  auto store = store::Store::open({directory, 1u << 30});
  ASSERT_TRUE(store) << store.error().detail;
  const Limits limits;
  Engine engine(**store, limits, nullptr);
  const auto documents = document::parse_documents(R"([{"id":"a","x":1},{"id":"b"}])",
                                                   document::IdRule::document, limits);
  std::promise<Result<Outcome>> answered;
  engine.submit({"vm", Timestamp{1}, ReplaceAll{*documents}},
                [&](Result<Outcome> outcome) { answered.set_value(std::move(outcome)); });
  const auto outcome = answered.get_future().get();
  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_EQ(outcome->revision.value, 1u);

  const auto snapshot = engine.snapshot();
  const auto vm = snapshot->collection("vm");
  ASSERT_TRUE(vm);
  EXPECT_EQ(snapshot->find(*vm, "a")->document.text(), R"({"id":"a","x":1})");
}

}  // namespace
}  // namespace doctor::engine
