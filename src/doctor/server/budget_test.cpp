#include "doctor/server/budget.hpp"

#include <gtest/gtest.h>

namespace doctor::server {
namespace {

TEST(Budget, SharesTogetherNeverPassTheTotal) {
  Budget budget(100);
  Share one(budget);
  Share two(budget);
  EXPECT_TRUE(one.grow_to(60));
  EXPECT_FALSE(two.grow_to(41));
  EXPECT_TRUE(two.grow_to(40));
  EXPECT_FALSE(one.grow_to(61));
  EXPECT_EQ(budget.used(), 100u);
}

TEST(Budget, AShareGivesBackWhatItHadWhenItGoes) {
  Budget budget(100);
  {
    Share share(budget);
    EXPECT_TRUE(share.grow_to(100));
    const Share moved = std::move(share);
    EXPECT_EQ(budget.used(), 100u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace doctor::server
