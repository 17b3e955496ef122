#include "doctor/mqtt/subscriptions.hpp"

#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace doctor::mqtt {
namespace {

SubscriptionOptions at(int qos) {
  return {static_cast<QoS>(qos), false, false};
}

// Matches as `number:qos` in the order of numbers.
std::set<std::string> matches(Subscriptions& subscriptions, std::string_view topic,
                              std::optional<SubscriberNumber> publisher = std::nullopt) {
  std::vector<Subscriptions::Subscriber> found;
  subscriptions.match(topic, publisher, found);
  std::set<std::string> lines;
  for (const auto& one : found) {
    lines.insert(std::to_string(one.number) + ":" +
                 std::to_string(static_cast<int>(one.options.qos)));
  }
  EXPECT_EQ(lines.size(), found.size()) << "someone matched twice";
  return lines;
}

using Found = std::set<std::string>;

// Who hears a topic through one filter.
bool hears(std::string_view filter, std::string_view topic) {
  Subscriptions subscriptions;
  subscriptions.add(1, filter, at(0));
  const bool heard = !matches(subscriptions, topic).empty();
  subscriptions.remove(1, filter);
  EXPECT_TRUE(matches(subscriptions, topic).empty());
  return heard;
}

TEST(Subscriptions, HashMatchesAllLevelsBelowAndItsParent) {  // [MQTT-4.7.1-1], §4.7.1.2
  EXPECT_TRUE(hears("a/#", "a"));
  EXPECT_TRUE(hears("a/#", "a/"));
  EXPECT_TRUE(hears("a/#", "a/b/c"));
  EXPECT_FALSE(hears("a/#", "ab"));
  EXPECT_TRUE(hears("#", "a"));
  EXPECT_TRUE(hears("#", "/"));
  EXPECT_TRUE(hears("+/#", "a"));
}

TEST(Subscriptions, PlusMatchesExactlyOneLevelAlsoAnEmptyOne) {  // [MQTT-4.7.1-2], §4.7.1.3
  EXPECT_TRUE(hears("a/+", "a/b"));
  EXPECT_TRUE(hears("a/+", "a/"));
  EXPECT_FALSE(hears("a/+", "a"));
  EXPECT_FALSE(hears("a/+", "a/b/c"));
  EXPECT_TRUE(hears("+", "a"));
  EXPECT_FALSE(hears("+", "/a"));
  EXPECT_TRUE(hears("/+", "/a"));
  EXPECT_TRUE(hears("+/+", "/a"));
  EXPECT_TRUE(hears("+/b", "a/b"));
}

TEST(Subscriptions, TopicsThatDifferInALeadingSlashOrInCaseDiffer) {  // §4.7.3
  EXPECT_FALSE(hears("/a", "a"));
  EXPECT_FALSE(hears("a", "/a"));
  EXPECT_FALSE(hears("a", "A"));
  EXPECT_TRUE(hears("/a", "/a"));
}

TEST(Subscriptions, WildcardsInTheFirstLevelDoNotMatchDollarTopics) {  // [MQTT-4.7.2-1]
  EXPECT_FALSE(hears("#", "$SYS/broker"));
  EXPECT_FALSE(hears("+/broker", "$SYS/broker"));
  EXPECT_TRUE(hears("$SYS/#", "$SYS/broker"));
  EXPECT_TRUE(hears("$SYS/+", "$SYS/broker"));
  EXPECT_TRUE(hears("+/#", "a/$b"));
}

TEST(Subscriptions, OverlappingFiltersOfOneAreOneMatchAtTheHighestQoS) {  // [MQTT-3.3.4-2]
  Subscriptions subscriptions;
  subscriptions.add(1, "a/#", at(0));
  subscriptions.add(1, "a/b", at(1));
  subscriptions.add(1, "+/b", at(0));
  subscriptions.add(2, "#", at(0));
  EXPECT_EQ(matches(subscriptions, "a/b"), (Found{"1:1", "2:0"}));
  EXPECT_EQ(matches(subscriptions, "a/c"), (Found{"1:0", "2:0"}));
}

TEST(Subscriptions, SubscribingAgainReplacesTheOptions) {  // [MQTT-3.8.4-3]
  Subscriptions subscriptions;
  subscriptions.add(1, "a/+", at(1));
  subscriptions.add(1, "a/+", at(0));
  EXPECT_EQ(subscriptions.size(), 1u);
  EXPECT_EQ(matches(subscriptions, "a/b"), (Found{"1:0"}));
  EXPECT_EQ(subscriptions.find(1, "a/+")->qos, QoS::at_most_once);
  EXPECT_FALSE(subscriptions.find(2, "a/+"));
}

TEST(Subscriptions, NoLocalPassesThePublisherByButNotItsOtherFilters) {  // [MQTT-3.8.3-3]
  Subscriptions subscriptions;
  subscriptions.add(1, "a", {QoS::at_least_once, true, false});
  subscriptions.add(2, "a", {QoS::at_least_once, true, false});
  EXPECT_EQ(matches(subscriptions, "a", 1), (Found{"2:1"}));
  subscriptions.add(1, "#", at(0));
  EXPECT_EQ(matches(subscriptions, "a", 1), (Found{"1:0", "2:1"}));
}

TEST(Subscriptions, RemovingOneLeavesTheOthers) {
  Subscriptions subscriptions;
  for (const char* filter : {"a/+/c", "a/+", "a/#", "a/b"}) subscriptions.add(1, filter, at(0));
  EXPECT_FALSE(subscriptions.remove(2, "a/+"));
  EXPECT_FALSE(subscriptions.remove(1, "a/+/d"));
  EXPECT_TRUE(subscriptions.remove(1, "a/+"));
  EXPECT_TRUE(subscriptions.remove(1, "a/#"));
  EXPECT_EQ(matches(subscriptions, "a/x"), (Found{}));
  EXPECT_EQ(matches(subscriptions, "a/x/c"), (Found{"1:0"}));
  EXPECT_EQ(matches(subscriptions, "a/b"), (Found{"1:0"}));
  EXPECT_EQ(subscriptions.size(), 2u);
}

// The definition of §4.7, as plainly as it can be said.
bool naive(const std::vector<std::string>& filter, const std::vector<std::string>& topic,
           std::size_t at_level = 0) {
  if (at_level == filter.size()) return at_level == topic.size();
  const bool reserved = at_level == 0 && topic[0].starts_with('$');
  if (filter[at_level] == "#") return !reserved;
  if (at_level == topic.size()) return false;
  if (filter[at_level] == "+" ? reserved : filter[at_level] != topic[at_level]) return false;
  if (at_level + 1 == topic.size() && at_level + 2 == filter.size() && filter.back() == "#") {
    return true;
  }
  return naive(filter, topic, at_level + 1);
}

std::string joined(const std::vector<std::string>& levels) {
  std::string text;
  for (std::size_t i = 0; i < levels.size(); ++i) text += (i == 0 ? "" : "/") + levels[i];
  return text;
}

TEST(Subscriptions, MatchAsTheDefinitionDoesWhateverIsAddedAndRemoved) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto pick = [&](int count) {
    return std::uniform_int_distribution<int>(0, count - 1)(random);
  };
  const std::vector<std::string> words{"a", "b", "", "$s"};
  const auto levels = [&](bool wildcards) {
    std::vector<std::string> all;
    for (int count = 1 + pick(3); count > 0; --count) {
      const int kind = wildcards ? pick(6) : 0;
      all.push_back(kind == 5 ? "+" : words[static_cast<std::size_t>(pick(4))]);
    }
    if (wildcards && pick(3) == 0) all.push_back("#");
    if (all.size() == 1 && all[0].empty()) all[0] = "a";
    return all;
  };
  Subscriptions subscriptions;
  std::map<std::pair<SubscriberNumber, std::string>, std::pair<std::vector<std::string>, int>>
      model;
  for (int step = 0; step < 20'000; ++step) {
    const auto subscriber = static_cast<SubscriberNumber>(pick(6));
    const auto filter = levels(true);
    const auto key = std::pair(subscriber, joined(filter));
    if (pick(2) == 0) {
      const int qos = pick(3);
      subscriptions.add(subscriber, key.second, at(qos));
      model[key] = {filter, qos};
    } else {
      EXPECT_EQ(subscriptions.remove(subscriber, key.second), model.erase(key) == 1);
    }
    ASSERT_EQ(subscriptions.size(), model.size());
    const auto topic = levels(false);
    std::map<SubscriberNumber, int> expected;
    for (const auto& [who, what] : model) {
      if (!naive(what.first, topic)) continue;
      const auto [place, is_new] = expected.emplace(who.first, what.second);
      if (!is_new) place->second = std::max(place->second, what.second);
    }
    Found lines;
    for (const auto& [who, qos] : expected) {
      lines.insert(std::to_string(who) + ":" + std::to_string(qos));
    }
    ASSERT_EQ(matches(subscriptions, joined(topic)), lines) << joined(topic);
  }
}

}  // namespace
}  // namespace doctor::mqtt
