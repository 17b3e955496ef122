#include "doctor/base/timer_wheel.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace doctor {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start{1h};

std::vector<int> advance(TimerWheel<int>& wheel, Clock::time_point now) {
  std::vector<int> back;
  wheel.advance(now, [&](int key, Clock::time_point) { back.push_back(key); });
  return back;
}

TEST(TimerWheel, GivesAKeyBackOnceItIsDueAndOnlyOnce) {
  TimerWheel<int> wheel;
  advance(wheel, start);
  wheel.add(1, start + 250ms);
  EXPECT_EQ(advance(wheel, start + 249ms), (std::vector<int>{}));
  EXPECT_EQ(advance(wheel, start + 299ms), (std::vector<int>{})) << "its slot has not ended";
  EXPECT_EQ(advance(wheel, start + 300ms), (std::vector<int>{1}));
  EXPECT_EQ(advance(wheel, start + 1h), (std::vector<int>{}));
}

TEST(TimerWheel, GivesWhatIsOverdueBackAtTheNextSlot) {
  TimerWheel<int> wheel;
  advance(wheel, start);
  wheel.add(1, start - 5s);
  EXPECT_EQ(advance(wheel, start), (std::vector<int>{}));
  EXPECT_EQ(advance(wheel, start + 100ms), (std::vector<int>{1}));
}

TEST(TimerWheel, GivesNothingBackEarlyHoweverFarItIs) {
  TimerWheel<int> wheel;
  wheel.add(1, start + 1000h);
  for (int hour = 0; hour < 1000; ++hour) {
    EXPECT_EQ(advance(wheel, start + std::chrono::hours(hour)), (std::vector<int>{}));
  }
  EXPECT_EQ(advance(wheel, start + 1000h), (std::vector<int>{1}));
}

TEST(TimerWheel, TakesKeysWhileItGivesOthersBack) {
  TimerWheel<int> wheel;
  advance(wheel, start);
  wheel.add(0, start);
  std::size_t count = 0;
  for (int i = 1; i <= 10; ++i) {
    wheel.advance(start + i * 1s, [&](int key, Clock::time_point due) {
      ++count;
      wheel.add(key + 1, due + 1s);
    });
  }
  EXPECT_EQ(count, 11u) << "0 s, then once a second";
}

TEST(TimerWheel, DoesWhatAnOrderedTableDoes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  TimerWheel<int> wheel;
  std::multimap<Clock::time_point, int> model;
  Clock::time_point now = start;
  for (int key = 0; key < 20'000; ++key) {
    const Clock::time_point due = now + std::chrono::milliseconds(below(1 << (1 + below(19))) - 50);
    wheel.add(key, due);
    model.emplace(due, key);
    if (below(3) > 0) continue;
    now += std::chrono::milliseconds(below(1 << (1 + below(12))));
    std::map<int, Clock::time_point> back;
    wheel.advance(now, [&](int k, Clock::time_point d) { back[k] = d; });
    for (const auto& [k, d] : back) {
      ASSERT_LE(d, now);
      const auto range = model.equal_range(d);
      const auto found = std::find_if(range.first, range.second,
                                      [key = k](const auto& e) { return e.second == key; });
      ASSERT_NE(found, range.second) << "given back twice, or never added";
      model.erase(found);
    }
    const bool late = !model.empty() && model.begin()->first + 2 * TimerWheel<int>::slot <= now;
    ASSERT_FALSE(late && now - start > 1s) << "overdue";
  }
}

}  // namespace
}  // namespace doctor
