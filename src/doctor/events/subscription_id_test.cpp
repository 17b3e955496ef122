#include "doctor/events/subscription_id.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "doctor/events/subscription_index.hpp"

namespace doctor::events {
namespace {

SubscriptionId id_of(std::string_view text) {
  return SubscriptionId::parse(text).value();
}

bool is_refused(std::string_view text) {
  return !SubscriptionId::parse(text);
}

// How many of the ids hear the event, by the index.
std::size_t heard(std::initializer_list<std::string_view> ids, std::string_view event) {
  SubscriptionIndex index;
  for (const std::string_view id : ids) index.add(id_of(id));
  std::size_t count = 0;
  index.match(*parse_event_id(event), [&](Holder) { ++count; });
  return count;
}

TEST(SubscriptionIds, HaveExactlyThreeBars) {
  EXPECT_FALSE(is_refused("a|b|c|d"));
  for (const std::string_view text : {"", "a", "a|b|c", "a|b|c|d|", "a|b|c|d|e", "|||||"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
}

TEST(SubscriptionIds, HaveNoBlankPart) {
  for (const std::string_view text : {"|a|b|c", "a|b|c|", "a| |b|c", "|*|*|*", "*|*|*| ", "|||"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
}

TEST(SubscriptionIds, MayNotAskForAllEvents) {
  EXPECT_TRUE(is_refused("*|*|*|*"));
  EXPECT_TRUE(is_refused(" *|*|*|*"));
  EXPECT_FALSE(is_refused("*|*|*|a"));
}

TEST(SubscriptionIds, HaveAStarOnlyAsAWholePart) {
  EXPECT_TRUE(is_refused("a*|b|c|d"));
  EXPECT_TRUE(is_refused("a|b|c|**"));
}

TEST(SubscriptionIds, KeepTheBlanksAroundAPart) {
  EXPECT_EQ(heard({" a|*|*|*"}, "a|b|c|d"), 0u);
  EXPECT_EQ(heard({" a|*|*|*"}, " a|b|c|d"), 1u);
  EXPECT_EQ(id_of(" a|*|b|*").text(), " a|*|b|*");
}

TEST(EventIds, AreDividedAtTheFirstThreeBars) {
  const auto event = parse_event_id("h|virt|VM_status|u|1|2");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->parts[3], "u|1|2");
  EXPECT_EQ(parse_event_id("|vdsm|test_event|")->parts[3], "");
  EXPECT_FALSE(parse_event_id("vdsm|test_event|"));
}

// What oVirt's tests of its SubscriptionMatcher demand, by the positional rule.
TEST(Matching, HoldsInTheCasesOfOvirt) {
  EXPECT_EQ(heard({"*|*|*|uuid"}, "host|virt|status|uuid"), 1u);
  EXPECT_EQ(heard({"*|*|test|*"}, "host|virt|test|uuid"), 1u);
  EXPECT_EQ(heard({"*|*|test|uuid", "*|*|test|*"}, "host|virt|test|uuid"), 2u);
  EXPECT_EQ(heard({"*|*|test|uuid", "*|*|test|*", "*|testcase|*|*"}, "host|testcase|test|uuid"),
            3u);
  for (const std::string_view event : {"host|testcase|test|uuid", "host|testcase|test2|uuid"}) {
    EXPECT_EQ(heard({"*|*|*|uuid", "*|*|test|*", "*|testcase|test2|*"}, event), 2u) << event;
  }
  EXPECT_EQ(heard({"*|testcase|*|uuid"}, "host|testcase|test2|uuid"), 1u);
  EXPECT_EQ(heard({"*|testcase|test|*"}, "host|testcase|test2|uuid"), 0u);
  EXPECT_EQ(heard({"localhost|testcase|*|uuid"}, "localhost|testcase|test|uuid"), 1u);
  EXPECT_EQ(heard({"remote|*|test|*"}, "localhost|testcase|test|uuid"), 0u);
  EXPECT_EQ(
      heard({"localhost|*|VM_status|*", "remote|*|VM_status|*"}, "localhost|virt|VM_status|uuid"),
      1u);
  EXPECT_EQ(heard({"localhost|*|VM.list|*"}, "localhost|*|*|*"), 1u);
  EXPECT_EQ(heard({"*|*|VM_migration_status|*", "10.35.0.96|*|VM_status|*"},
                  "10.35.0.97|virt|VM_migration_status|uuid"),
            1u);
}

TEST(Matching, IsByPosition) {
  EXPECT_EQ(heard({"*|VM_status|virt|*"}, "host|virt|VM_status|uuid"), 0u);
  EXPECT_EQ(heard({"*|net|*|uuid"}, "host|virt|VM_status|uuid"), 0u);
}

TEST(Matching, ReachesAllHoldersOfTheSameId) {
  EXPECT_EQ(heard({"*|*|*|uuid", "*|*|*|uuid"}, "h|c|o|uuid"), 2u);
}

TEST(Matching, TellsOfALostConnectionToAllThatMightHaveHeardOfIt) {
  EXPECT_EQ(heard({"*|virt|*|*", "h|*|*|*", "*|*|*|uuid", "other|*|*|*"}, "h|*|*|*"), 3u);
}

TEST(Matching, FindsEventsWithEmptyParts) {
  EXPECT_EQ(heard({"*|vdsm|*|*"}, "|vdsm|test_event|"), 1u);
}

TEST(Removal, TakesOutOneHolderAndNoOther) {
  SubscriptionIndex index;
  const Holder one = index.add(id_of("*|*|*|uuid"));
  const Holder two = index.add(id_of("*|*|*|uuid"));
  index.remove(one);
  index.remove(one);
  std::vector<Holder> found;
  index.match(*parse_event_id("h|c|o|uuid"), [&](Holder holder) { found.push_back(holder); });
  EXPECT_EQ(found, std::vector{two});
  index.remove(two);
  EXPECT_EQ(index.size(), 0u);
}

TEST(SubscriptionIndex, FindsWhatANaiveMatcherFinds) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::array<std::string, 5> words{"a", "b", "ab", "*", ""};
  const auto text = [&](std::size_t count) {
    std::string made;
    for (std::size_t i = 0; i < part_count; ++i) {
      made += (i == 0 ? "" : "|") + words[random() % count];
    }
    return made;
  };
  SubscriptionIndex index;
  std::map<std::uint64_t, SubscriptionId> naive;
  for (int step = 0; step < 5'000; ++step) {
    if (const auto id = SubscriptionId::parse(text(4)); id && random() % 2 == 0) {
      naive.emplace(index.add(*id).value, *id);
    } else if (!naive.empty() && random() % 2 == 0) {
      const auto some = std::next(naive.begin(), static_cast<long>(random() % naive.size()));
      index.remove(Holder(some->first));
      naive.erase(some);
    }
    const std::string event_text = text(5);
    const auto event = parse_event_id(event_text);
    std::multiset<std::uint64_t> found;
    index.match(*event, [&](Holder holder) { found.insert(holder.value); });
    std::multiset<std::uint64_t> expected;
    for (const auto& [number, id] : naive) {
      if (id.matches(*event)) expected.insert(number);
    }
    ASSERT_EQ(found, expected) << event_text;
  }
}

}  // namespace
}  // namespace doctor::events
