#include "doctor/store/reference_index.hpp"

#include <random>

#include <gtest/gtest.h>

#include "doctor/store/test_documents.hpp"

namespace doctor::store {
namespace {

using namespace std::chrono_literals;
using document::FieldName;

TEST(RefersToTest, ByTextAloneOrInAnArray) {
  EXPECT_TRUE(refers_to(R"("a")", "a"));
  EXPECT_TRUE(refers_to(R"("\u0061")", "a"));
  EXPECT_TRUE(refers_to("1", "1"));
  EXPECT_TRUE(refers_to(R"("1")", "1"));
  EXPECT_TRUE(refers_to("-0", "0"));
  EXPECT_TRUE(refers_to(R"(["x",7,"a"])", "a"));
  EXPECT_TRUE(refers_to(R"(["x",7,"a"])", "7"));
  for (const std::string_view value : {"null", "true", "1.0", "1e0", "{}", R"({"a":"a"})", "[]",
                                       R"([["a"]])", R"("ab")", R"("")"}) {
    EXPECT_FALSE(refers_to(value, "a")) << value;
    EXPECT_FALSE(refers_to(value, "1")) << value;
  }
}

class ReferenceIndexTest : public testing::Test {
 protected:
  ReferenceIndexTest() { open(); }
  ~ReferenceIndexTest() override {
    store_ = nullptr;
    EXPECT_EQ(faults_of(directory_.path()), no_faults);
  }
  void open() {
    store_ = nullptr;
    store_ = Store::open({directory_.path(), 1u << 28, 0}).value();
  }
  void put(const Texts& texts) { ASSERT_TRUE(store::put(*store_, "vm", texts)); }
  void remove(std::string_view id) { ASSERT_TRUE(store::remove(*store_, "vm", id)); }
  /// Ids of those that refer to a target; nothing if there is no index.
  std::optional<Texts> referrers(std::string_view target, std::string_view field = "host") {
    const auto snapshot = store_->snapshot();
    const auto found = snapshot->referrers(*snapshot->collection("vm"), FieldName(field), target);
    if (!found) return std::nullopt;
    Texts ids;
    for (const auto& entry : *found) ids.push_back(entry.document.id());
    return ids;
  }
  void build() {
    while (store_->wants_indexing()) ASSERT_TRUE(store_->index_for(10ms));
  }

  TestDirectory directory_;
  std::unique_ptr<Store> store_;
};

TEST_F(ReferenceIndexTest, ThereIsNoneUntilAQueryHasWishedForItAndItIsBuilt) {
  put({R"({"id":"1","host":"a"})", R"({"id":"2","host":"b"})", R"({"id":"3","host":["b","a"]})"});
  EXPECT_FALSE(store_->wants_indexing());
  EXPECT_EQ(referrers("a"), std::nullopt);
  EXPECT_TRUE(store_->wants_indexing());
  build();
  EXPECT_EQ(referrers("a"), (Texts{"1", "3"}));
  EXPECT_EQ(referrers("b"), (Texts{"2", "3"}));
  EXPECT_EQ(referrers("c"), Texts{});
  EXPECT_EQ(store_->revision().value, 1u);  // it makes none
}

TEST_F(ReferenceIndexTest, ItFollowsEveryWrite) {
  put({R"({"id":"1","host":"a"})", R"({"id":"2","host":["a","a","b"]})"});
  referrers("a");
  build();
  put({R"({"id":"3","host":"a"})", R"({"id":"1","host":"b"})"});
  EXPECT_EQ(referrers("a"), (Texts{"2", "3"}));
  EXPECT_EQ(referrers("b"), (Texts{"1", "2"}));
  remove("2");
  EXPECT_EQ(referrers("a"), Texts{"3"});
  EXPECT_EQ(referrers("b"), Texts{"1"});
  put({R"({"id":"1"})"});
  EXPECT_EQ(referrers("b"), Texts{});
}

TEST_F(ReferenceIndexTest, ASnapshotSeesTheIndexOfItsOwnRevision) {
  put({R"({"id":"1","host":"a"})"});
  referrers("a");
  build();
  const auto before = store_->snapshot();
  put({R"({"id":"2","host":"a"})"});
  remove("1");
  const auto found = before->referrers(*before->collection("vm"), FieldName("host"), "a");
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().document.id(), "1");
  EXPECT_EQ(referrers("a"), Texts{"2"});
}

TEST_F(ReferenceIndexTest, TextsOfTheSameBeginningAreTold) {
  const std::string long_a(230, 'a');
  const std::string long_b = long_a.substr(0, 220) + "b";
  put({R"({"id":"1","host":"a"})", R"({"id":"2","host":"ab"})",
       R"({"id":"3","host":")" + long_a + "\"}", R"({"id":"4","host":")" + long_b + "\"}"});
  referrers("a");
  build();
  EXPECT_EQ(referrers("a"), Texts{"1"});
  EXPECT_EQ(referrers("ab"), Texts{"2"});
  EXPECT_EQ(referrers(long_a), Texts{"3"});
  EXPECT_EQ(referrers(long_b), Texts{"4"});
}

TEST_F(ReferenceIndexTest, ItIsBuiltInStepsAndGoesOnAfterARestart) {
  Texts all;
  for (int i = 0; i < 3'000; ++i) {
    all.push_back(R"({"id":")" + std::to_string(i) + R"(","host":)" + std::to_string(i % 7) +
                  "}");  // 429 of them are 3, "2999" too
  }
  put(all);
  referrers("3");
  int steps = 0;
  for (; store_->wants_indexing(); ++steps) {
    ASSERT_TRUE(store_->index_for(100us));
    ASSERT_LT(steps, 3'000);
    if (store_->wants_indexing()) {
      EXPECT_EQ(referrers("3"), std::nullopt);
    }
    // Writes before and behind the place that the building has reached.
    put({R"({"id":"0","host":3,"n":)" + std::to_string(steps) + "}",
         R"({"id":"2999","host":3,"n":)" + std::to_string(steps) + "}",
         R"({"id":"new)" + std::to_string(steps) + R"(","host":3})"});
    if (steps == 2) open();
    if (steps == 3) {
      store_ = nullptr;
      EXPECT_EQ(faults_of(directory_.path()), no_faults);
      open();
    }
  }
  EXPECT_GT(steps, 4);
  EXPECT_EQ(referrers("3")->size(), 429u + 1 + static_cast<std::size_t>(steps));
}

TEST_F(ReferenceIndexTest, ACollectionHasABoundedNumberAndUselessOnesGiveWay) {
  std::string text = R"({"id":"1")";
  for (int i = 0; i < 20; ++i) text += ",\"f" + std::to_string(i) + R"(":"a")";
  put({text + "}"});
  for (int i = 0; i < 10; ++i) referrers("a", "none" + std::to_string(i));
  for (int i = 0; i < 20; ++i) referrers("a", "f" + std::to_string(i));
  build();
  for (int i = 0; i < 20; ++i) referrers("a", "f" + std::to_string(i));
  build();
  int indexed = 0;
  for (int i = 0; i < 20; ++i) {
    if (const auto found = referrers("a", "f" + std::to_string(i))) {
      EXPECT_EQ(found, Texts{"1"});
      ++indexed;
    }
  }
  EXPECT_EQ(indexed, 16);
  // One that cannot be had is not wished for again.
  EXPECT_FALSE(store_->wants_indexing());
}

TEST_F(ReferenceIndexTest, ItFindsWhatAScanFinds) {
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const char* values[] = {R"("1")", "1",    "-0",          R"("0")",      "[1,\"2\"]",
                          "[]",     "null", "[2,2,[1]]",   R"("\u0032")", "{\"1\":1}",
                          "2.0",    "2",    R"(["1","0"])"};
  for (int round = 0; round < 60; ++round) {
    Texts texts;
    for (int id = 0; id < 40; ++id) {
      if (random() % 4 != 0) continue;
      texts.push_back(R"({"id":")" + std::to_string(id) + R"(","host":)" +
                      values[random() % std::size(values)] + "}");
    }
    put(texts);
    if (random() % 3 == 0) {
      const std::string id = std::to_string(random() % 40);
      const auto snapshot = store_->snapshot();
      if (snapshot->find(*snapshot->collection("vm"), id)) remove(id);
    }
    if (round == 10) referrers("1");
    if (round > 10) {
      ASSERT_TRUE(store_->index_for(50us));
    }
    const auto snapshot = store_->snapshot();
    const auto vm = *snapshot->collection("vm");
    for (const char* target : {"0", "1", "2", "3"}) {
      const auto found = snapshot->referrers(vm, FieldName("host"), target);
      if (!found) continue;
      Texts expected;
      const auto walk = snapshot->walk(vm);
      while (const auto entry = walk->next()) {
        if (refers_to(*entry->document.find(FieldName("host")), target)) {
          expected.push_back(entry->document.id());
        }
      }
      EXPECT_EQ(*referrers(target), expected);
    }
  }
  EXPECT_TRUE(referrers("1"));
}

}  // namespace
}  // namespace doctor::store
