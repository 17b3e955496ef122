#include "doctor/rest/query_cache.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

class Cache : public ::testing::Test {
 protected:
  Limits limits;
  QueryCache cache{limits};
};

TEST_F(Cache, GivesTheSameQueryForTheSameText) {
  const auto first = cache.parse(R"({"select":"name"})", "vm", false);
  const auto second = cache.parse(R"({"select":"name"})", "vm", false);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(&first->plan(), &second->plan());
}

TEST_F(Cache, TellsCollectionsAndSingleDocumentsApart) {
  const auto text = R"({"select":"name","limit":1})";
  EXPECT_TRUE(cache.parse(text, "vm", false));
  EXPECT_FALSE(cache.parse(text, "vm", true));
  EXPECT_EQ(cache.parse(text, "disk", false)->collections(), std::set<std::string>{"disk"});
}

TEST_F(Cache, GivesErrorsEachTime) {
  EXPECT_FALSE(cache.parse("{", "vm", false));
  EXPECT_FALSE(cache.parse("{", "vm", false));
}

TEST_F(Cache, KeepsWhatIsAskedAgainWhileOthersComeAndGo) {
  const query::Plan* kept = &cache.parse(R"({"select":"kept"})", "vm", false)->plan();
  for (int i = 0; i < 5'000; ++i) {
    ASSERT_TRUE(cache.parse("{\"select\":\"f" + std::to_string(i) + "\"}", "vm", false));
    if (i % 100 == 0) {
      EXPECT_EQ(&cache.parse(R"({"select":"kept"})", "vm", false)->plan(), kept);
    }
  }
}

TEST_F(Cache, IsUsedByManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 20; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const std::string name = "f" + std::to_string(i % 50);
        const auto query = cache.parse("{\"select\":\"" + name + "\"}", "vm", false);
        good += query && !query->is_plain() ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 20 * 200);
}

}  // namespace
}  // namespace doctor::rest
