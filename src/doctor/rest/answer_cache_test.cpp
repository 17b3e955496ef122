#include "doctor/rest/answer_cache.hpp"

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

constexpr std::size_t kib = 1024;

KeptAnswer answer(std::size_t size) {
  return {"ETag: W/\"x\"\r\n", std::make_shared<const std::string>(size, 'x')};
}

TEST(AnswerCache, GivesWhatWasKeptUnderTheSameKeyOnly) {
  AnswerCache cache(1024 * kib);
  cache.keep("7 vm", answer(20 * kib));
  ASSERT_NE(cache.find("7 vm"), nullptr);
  EXPECT_EQ(cache.find("7 vm")->body->size(), 20 * kib);
  EXPECT_EQ(cache.find("8 vm"), nullptr);
}

TEST(AnswerCache, StaysWithinItsBytesHoweverManyAnswersAreKept) {
  AnswerCache cache(1024 * kib);
  std::weak_ptr<const std::string> first;
  for (int i = 0; i < 100; ++i) {
    KeptAnswer kept = answer(100 * kib);
    if (i == 0) first = kept.body;
    cache.keep(std::to_string(i), std::move(kept));
  }
  EXPECT_TRUE(first.expired());
  int left = 0;
  for (int i = 0; i < 100; ++i) left += cache.find(std::to_string(i)) != nullptr ? 1 : 0;
  EXPECT_LE(left, 10);
  EXPECT_NE(cache.find("99"), nullptr);
}

TEST(AnswerCache, KeepsWhatIsAskedForAgainAndAgain) {
  AnswerCache cache(1024 * kib);
  cache.keep("wanted", answer(100 * kib));
  for (int i = 0; i < 100; ++i) {
    cache.keep(std::to_string(i), answer(100 * kib));
    ASSERT_NE(cache.find("wanted"), nullptr) << i;
  }
}

TEST(AnswerCache, TakesNeitherSmallAnswersNorOnesThatWouldFillIt) {
  const AnswerCache cache(1024 * kib);
  EXPECT_FALSE(cache.takes("key", kib));
  EXPECT_TRUE(cache.takes("key", 100 * kib));
  EXPECT_FALSE(cache.takes("key", 300 * kib));
  EXPECT_FALSE(cache.takes(std::string(17 * kib, 'k'), 100 * kib));
  EXPECT_FALSE(AnswerCache(0).takes("key", 100 * kib));
}

}  // namespace
}  // namespace doctor::rest
