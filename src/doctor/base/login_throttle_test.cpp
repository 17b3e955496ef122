#include "doctor/base/login_throttle.hpp"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace doctor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Clock::time_point start{};

TEST(LoginThrottle, TheFirstFailureIsAnsweredAtOnceAndTheNextOnesWaitTwiceAsLongEach) {
  LoginThrottle throttle(milliseconds(5000));
  std::vector<std::int64_t> delays;
  for (int i = 0; i < 8; ++i) {
    delays.push_back(throttle.failed("10.0.0.1", start + seconds(i)).delay.count());
  }
  EXPECT_EQ(delays, (std::vector<std::int64_t>{0, 250, 500, 1000, 2000, 4000, 5000, 5000}));
}

TEST(LoginThrottle, AddressesDoNotMeet) {
  LoginThrottle throttle(milliseconds(5000));
  throttle.failed("10.0.0.1", start);
  EXPECT_EQ(throttle.failed("10.0.0.2", start).delay, milliseconds(0));
  EXPECT_EQ(throttle.failed("10.0.0.1", start).delay, milliseconds(250));
}

TEST(LoginThrottle, AQuietMinuteForgets) {
  LoginThrottle throttle(milliseconds(5000));
  throttle.failed("10.0.0.1", start);
  throttle.failed("10.0.0.1", start + seconds(1));
  EXPECT_EQ(throttle.failed("10.0.0.1", start + seconds(60)).delay, milliseconds(500));
  EXPECT_EQ(throttle.failed("10.0.0.1", start + seconds(120)).delay, milliseconds(0));
  EXPECT_EQ(throttle.failed("10.0.0.1", start + seconds(121)).delay, milliseconds(250));
}

TEST(LoginThrottle, WhenItIsFullTheAddressThatWasQuietLongestIsForgotten) {
  LoginThrottle throttle(milliseconds(5000), 2);
  throttle.failed("a", start);
  throttle.failed("b", start + seconds(1));
  throttle.failed("a", start + seconds(2));
  throttle.failed("c", start + seconds(3));
  EXPECT_EQ(throttle.failed("a", start + seconds(4)).delay, milliseconds(500));
  EXPECT_EQ(throttle.failed("b", start + seconds(4)).delay, milliseconds(0));
}

TEST(LoginThrottle, NoDelayIsLongerThanTheLimit) {
  LoginThrottle throttle(milliseconds(100));
  throttle.failed("a", start);
  EXPECT_EQ(throttle.failed("a", start).delay, milliseconds(100));
  EXPECT_EQ(throttle.failed("a", start).delay, milliseconds(100));
}

TEST(LoginThrottle, EachAddressIsToldOfOnceAMinute) {
  LoginThrottle throttle(milliseconds(5000));
  EXPECT_TRUE(throttle.failed("a", start).tell);
  EXPECT_TRUE(throttle.failed("b", start).tell);
  EXPECT_FALSE(throttle.failed("a", start + seconds(30)).tell);
  EXPECT_FALSE(throttle.failed("a", start + seconds(59)).tell);
  EXPECT_TRUE(throttle.failed("a", start + seconds(60)).tell);
  EXPECT_FALSE(throttle.failed("a", start + seconds(61)).tell);
  EXPECT_TRUE(throttle.failed("b", start + seconds(200)).tell);
}

}  // namespace
}  // namespace doctor
