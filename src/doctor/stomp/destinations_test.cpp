#include "doctor/stomp/destinations.hpp"

#include <cstdlib>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace doctor::stomp {
namespace {

SubscriptionPtr subscription(std::uint64_t serial, std::string destination) {
  auto made = std::make_shared<Subscription>();
  made->serial = serial;
  made->destination = std::move(destination);
  return made;
}

std::vector<std::uint64_t> heard(const Destinations& all, std::string_view destination) {
  std::vector<std::uint64_t> serials;
  all.match(destination, [&](const SubscriptionPtr& one) { serials.push_back(one->serial); });
  return serials;
}

// Against a map that is gone through.
TEST(SubscribersOfADestination, AreThoseWhoCameAndHaveNotLeftInTheirOrder) {
  const char* given = std::getenv("DOCTOR_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device()();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> names = {"a", "a.b", "c"};
  Destinations all;
  std::map<std::uint64_t, SubscriptionPtr> there;
  for (std::uint64_t step = 1; step <= 5'000; ++step) {
    // Now more come than leave, now more leave.
    const bool comes = random() % 100 < (step / 500 % 2 == 0 ? 70u : 30u);
    if (comes) {
      there[step] = subscription(step, names[random() % names.size()]);
      all.add(there[step]);
    } else if (!there.empty()) {
      auto one = there.begin();
      std::advance(one, static_cast<std::ptrdiff_t>(random() % there.size()));
      all.remove(*one->second);
      all.remove(*one->second);  // who is not there leaves nothing
      there.erase(one);
    }
    const auto of = [&](std::string_view name) {
      std::vector<std::uint64_t> serials;
      for (const auto& [serial, one] : there) {
        if (one->destination == name) serials.push_back(serial);
      }
      return serials;
    };
    std::vector<std::uint64_t> both = of("a");
    const auto more = of("a.b");
    both.insert(both.end(), more.begin(), more.end());
    ASSERT_EQ(heard(all, "a.b.x"), both) << "after step " << step;
    ASSERT_EQ(all.hears("c"), !of("c").empty());
    ASSERT_EQ(all.size(), there.size());
  }
}

}  // namespace
}  // namespace doctor::stomp
