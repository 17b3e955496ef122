#include "doctor/base/ring.hpp"

#include <deque>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace doctor {
namespace {

TEST(Ring, GivesWhatWasPutInInItsOrder) {
  Ring<std::string> ring;
  EXPECT_TRUE(ring.empty());
  for (int i = 0; i < 100; ++i) ring.push_back(std::to_string(i));
  EXPECT_EQ(ring.size(), 100u);
  EXPECT_EQ(ring.front(), "0");
  EXPECT_EQ(ring.back(), "99");
  EXPECT_EQ(ring[42], "42");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ring.pop_front(), std::to_string(i));
  EXPECT_TRUE(ring.empty());
}

TEST(Ring, IsWalkedFromTheFirstToTheLast) {
  Ring<int> ring;
  for (int i = 0; i < 6; ++i) ring.push_back(i);
  for (int i = 0; i < 3; ++i) ring.push_back(6 + ring.pop_front());  // past the end of its memory
  EXPECT_EQ(std::vector<int>(ring.begin(), ring.end()), (std::vector<int>{3, 4, 5, 6, 7, 8}));
}

TEST(Ring, LetsGoOfWhatIsTakenOut) {
  Ring<std::shared_ptr<int>> ring;
  const auto value = std::make_shared<int>(1);
  for (int i = 0; i < 5; ++i) ring.push_back(value);
  ring.pop_front();
  EXPECT_EQ(value.use_count(), 5);
  int nth = 0;
  EXPECT_EQ(ring.erase_if([&](const auto&) { return nth++ % 2 == 0; }), 2u);
  EXPECT_EQ(value.use_count(), 3);
  EXPECT_EQ(ring.erase_if([](const auto&) { return false; }), 0u);
  EXPECT_EQ(ring.front(), value);
  EXPECT_EQ(value.use_count(), 3);
  ring.clear();
  EXPECT_EQ(value.use_count(), 1);
  EXPECT_TRUE(ring.empty());
}

TEST(Ring, IsEmptyOnceItWasMovedFrom) {
  Ring<int> ring;
  ring.push_back(1);
  Ring<int> other = std::move(ring);
  EXPECT_EQ(other.front(), 1);
  EXPECT_TRUE(ring.empty());
  ring.push_back(2);
  EXPECT_EQ(ring.front(), 2);
}

TEST(Ring, DoesAsADequeDoes) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  Ring<int> ring;
  std::deque<int> model;
  for (int step = 0; step < 100'000; ++step) {
    // Long rises and falls, so that it grows and shrinks at every place of its first element.
    const bool rising = step / 3000 % 2 == 0;
    const auto choice = random() % 1000;
    if (choice == 0) {
      const int modulus = 2 + static_cast<int>(random() % 5);
      const auto gone = [&](int value) { return value % modulus == 0; };
      EXPECT_EQ(ring.erase_if(gone), std::erase_if(model, gone));
    } else if ((choice < 600) == rising) {
      ring.push_back(step);
      model.push_back(step);
    } else if (!model.empty()) {
      ASSERT_EQ(ring.pop_front(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(ring.size(), model.size());
    if (model.empty()) continue;
    ASSERT_EQ(ring.back(), model.back());
    const std::size_t at = random() % model.size();
    ASSERT_EQ(ring[at], model[at]);
  }
}

}  // namespace
}  // namespace doctor
