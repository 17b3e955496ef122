#include "doctor/mqtt/subscriptions.hpp"

#include <map>
#include <random>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

namespace doctor::mqtt {
namespace {

SubscriptionOptions at(int qos) {
  return {static_cast<QoS>(qos), false, false};
}

void add(Subscriptions& subscriptions, SubscriberNumber number, std::string_view topics,
         SubscriptionOptions options, std::string_view group = {}, std::uint32_t identifier = 0) {
  subscriptions.add({number, options, identifier == 0 ? nullptr : Identifiers::of(identifier)},
                    {topics, group});
}

bool remove(Subscriptions& subscriptions, SubscriberNumber number, std::string_view topics,
            std::string_view group = {}) {
  return subscriptions.remove(number, {topics, group});
}

std::string line_of(const Subscriptions::Subscriber& one) {
  return std::to_string(one.number) + ":" + std::to_string(static_cast<int>(one.options.qos));
}

// Matches as `number:qos`, groups as `name(number:qos number:qos)`.
std::set<std::string> matches(Subscriptions& subscriptions, std::string_view topic,
                              std::optional<SubscriberNumber> publisher = std::nullopt) {
  Subscriptions::Matches found;
  subscriptions.match(topic, publisher, found);
  std::set<std::string> lines;
  for (const auto& one : found.each) lines.insert(line_of(one));
  EXPECT_EQ(lines.size(), found.each.size()) << "someone matched twice";
  for (const Subscriptions::Group* group : found.groups) {
    std::string members;
    for (const auto& one : group->members) members += (members.empty() ? "" : " ") + line_of(one);
    lines.insert(group->name + "(" + members + ")");
  }
  return lines;
}

using Found = std::set<std::string>;

// Who hears a topic through one filter.
bool hears(std::string_view filter, std::string_view topic) {
  Subscriptions subscriptions;
  add(subscriptions, 1, filter, at(0));
  const bool heard = !matches(subscriptions, topic).empty();
  remove(subscriptions, 1, filter);
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
  add(subscriptions, 1, "a/#", at(0));
  add(subscriptions, 1, "a/b", at(1));
  add(subscriptions, 1, "+/b", at(0));
  add(subscriptions, 2, "#", at(0));
  EXPECT_EQ(matches(subscriptions, "a/b"), (Found{"1:1", "2:0"}));
  EXPECT_EQ(matches(subscriptions, "a/c"), (Found{"1:0", "2:0"}));
}

TEST(Subscriptions, SubscribingAgainReplacesTheOptions) {  // [MQTT-3.8.4-3]
  Subscriptions subscriptions;
  add(subscriptions, 1, "a/+", at(1));
  add(subscriptions, 1, "a/+", at(0));
  EXPECT_EQ(subscriptions.size(), 1u);
  EXPECT_EQ(matches(subscriptions, "a/b"), (Found{"1:0"}));
  EXPECT_NE(subscriptions.find(1, {"a/+", {}}), nullptr);
  EXPECT_EQ(subscriptions.find(2, {"a/+", {}}), nullptr);
}

TEST(Subscriptions, NoLocalPassesThePublisherByButNotItsOtherFilters) {  // [MQTT-3.8.3-3]
  Subscriptions subscriptions;
  add(subscriptions, 1, "a", {QoS::at_least_once, true, false});
  add(subscriptions, 2, "a", {QoS::at_least_once, true, false});
  EXPECT_EQ(matches(subscriptions, "a", 1), (Found{"2:1"}));
  add(subscriptions, 1, "#", at(0));
  EXPECT_EQ(matches(subscriptions, "a", 1), (Found{"1:0", "2:1"}));
}

TEST(Subscriptions, RemovingOneLeavesTheOthers) {
  Subscriptions subscriptions;
  for (const char* filter : {"a/+/c", "a/+", "a/#", "a/b"}) add(subscriptions, 1, filter, at(0));
  EXPECT_FALSE(remove(subscriptions, 2, "a/+"));
  EXPECT_FALSE(remove(subscriptions, 1, "a/+/d"));
  EXPECT_TRUE(remove(subscriptions, 1, "a/+"));
  EXPECT_TRUE(remove(subscriptions, 1, "a/#"));
  EXPECT_EQ(matches(subscriptions, "a/x"), (Found{}));
  EXPECT_EQ(matches(subscriptions, "a/x/c"), (Found{"1:0"}));
  EXPECT_EQ(matches(subscriptions, "a/b"), (Found{"1:0"}));
  EXPECT_EQ(subscriptions.size(), 2u);
}

// The identifiers of the only match, in hexadecimal octets of their properties.
std::string identifiers(Subscriptions& subscriptions, std::string_view topic) {
  Subscriptions::Matches found;
  subscriptions.match(topic, std::nullopt, found);
  if (found.each.size() != 1) return "not one match";
  if (!found.each[0].identifiers) return "none";
  return found.each[0].identifiers->properties();
}

TEST(Subscriptions, AMatchCarriesTheIdentifiersOfAllItsFilters) {  // [MQTT-3.3.4-3 -4]
  Subscriptions subscriptions;
  add(subscriptions, 1, "a/b", at(0));
  EXPECT_EQ(identifiers(subscriptions, "a/b"), "none");
  add(subscriptions, 1, "a/#", at(0), {}, 7);
  EXPECT_EQ(identifiers(subscriptions, "a/b"), "\x0B\x07");
  add(subscriptions, 1, "+/b", at(0), {}, 200);
  EXPECT_EQ(identifiers(subscriptions, "a/b").size(), 5u);
  EXPECT_EQ(identifiers(subscriptions, "x/b"), "\x0B\xC8\x01");
  add(subscriptions, 1, "+/b", at(0));
  EXPECT_EQ(identifiers(subscriptions, "x/b"), "none");
}

TEST(Subscriptions, TheMembersOfAGroupTakeTurns) {  // §4.8.2
  Subscriptions subscriptions;
  for (const SubscriberNumber number : {3u, 1u, 2u}) add(subscriptions, number, "a", at(1), "g");
  add(subscriptions, 1, "a", at(0));
  EXPECT_EQ(matches(subscriptions, "a"), (Found{"1:0", "g(1:1 2:1 3:1)"}));
  Subscriptions::Matches found;
  subscriptions.match("a", std::nullopt, found);
  Subscriptions::Group& group = *found.groups.at(0);
  const auto takes = [](SubscriberNumber number) { return number != 2; };
  EXPECT_EQ(group.next(takes)->number, 1u);
  EXPECT_EQ(group.next(takes)->number, 3u);
  EXPECT_EQ(group.next(takes)->number, 1u);
  EXPECT_EQ(group.next([](SubscriberNumber) { return true; })->number, 2u);
  EXPECT_EQ(group.next([](SubscriberNumber) { return false; }), nullptr);
}

TEST(Subscriptions, EqualFiltersOfDifferentGroupsAreDifferentSubscriptions) {
  Subscriptions subscriptions;
  add(subscriptions, 1, "a/+", at(0), "g");
  add(subscriptions, 1, "a/+", at(1), "h");
  add(subscriptions, 1, "a/+", at(2));
  EXPECT_EQ(subscriptions.size(), 3u);
  EXPECT_EQ(matches(subscriptions, "a/b"), (Found{"1:2", "g(1:0)", "h(1:1)"}));
  EXPECT_TRUE(remove(subscriptions, 1, "a/+", "g"));
  EXPECT_FALSE(remove(subscriptions, 1, "a/+", "g"));
  EXPECT_EQ(matches(subscriptions, "a/b"), (Found{"1:2", "h(1:1)"}));
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
  using Key = std::tuple<std::string, std::string, SubscriberNumber>;  // group, filter, who
  std::map<Key, std::pair<std::vector<std::string>, int>> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto subscriber = static_cast<SubscriberNumber>(pick(6));
    const auto filter = levels(true);
    const std::string group = pick(3) == 0 ? std::string(1, static_cast<char>('g' + pick(2))) : "";
    const Key key(group, joined(filter), subscriber);
    if (pick(2) == 0) {
      const int qos = pick(3);
      add(subscriptions, subscriber, joined(filter), at(qos), group);
      model[key] = {filter, qos};
    } else {
      const bool removed = remove(subscriptions, subscriber, joined(filter), group);
      EXPECT_EQ(removed, model.erase(key) == 1);
    }
    ASSERT_EQ(subscriptions.size(), model.size());
    const auto topic = levels(false);
    std::map<SubscriberNumber, int> expected;
    std::map<std::pair<std::string, std::string>, std::string> groups;
    for (const auto& [who, what] : model) {
      const auto& [of_group, topics, number] = who;
      if (!naive(what.first, topic)) continue;
      if (of_group.empty()) {
        const auto [place, is_new] = expected.emplace(number, what.second);
        if (!is_new) place->second = std::max(place->second, what.second);
      } else {
        std::string& members = groups[{of_group, topics}];
        if (!members.empty()) members += ' ';
        members += std::to_string(number) + ":" + std::to_string(what.second);
      }
    }
    Found lines;
    for (const auto& [who, qos] : expected) {
      lines.insert(std::to_string(who) + ":" + std::to_string(qos));
    }
    for (const auto& [what, members] : groups) lines.insert(what.first + "(" + members + ")");
    ASSERT_EQ(matches(subscriptions, joined(topic)), lines) << joined(topic);
  }
}

}  // namespace
}  // namespace doctor::mqtt
