#include "doctor/mqtt/retained.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "doctor/mqtt/subscriptions.hpp"
#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {
namespace {

using std::chrono::seconds;

constexpr Retained::Bounds plenty{1'000'000, 1u << 30};
constexpr Clock::time_point start{seconds(1000)};

PublicationPtr message(std::string_view topic, std::string_view payload,
                       std::optional<std::uint32_t> expiry = std::nullopt) {
  Publish publish;
  publish.topic = topic;
  publish.payload = payload;
  publish.retain = true;
  if (expiry) publish.properties.add(PropertyId::message_expiry_interval, *expiry);
  return Publication::of_client(publish, start);
}

std::vector<std::string> topics(const std::vector<PublicationPtr>& messages) {
  std::vector<std::string> all;
  for (const PublicationPtr& one : messages) all.emplace_back(one->topic());
  return all;
}

std::vector<std::string> found(const Retained& retained, std::string_view filter,
                               Clock::time_point now = start) {
  Retained::Position position = retained.begin();
  std::vector<PublicationPtr> out;
  retained.read(filter, position, 1'000'000, now, out);
  EXPECT_TRUE(position.done);
  return topics(out);
}

using Topics = std::vector<std::string>;

TEST(Retained, KeepsTheLastMessageOfATopic) {  // [MQTT-3.3.1-5]
  Retained retained;
  retained.keep(message("a", "1"), plenty);
  retained.keep(message("a", "2"), plenty);
  EXPECT_EQ(retained.size(), 1u);
  EXPECT_EQ(found(retained, "a"), (Topics{"a"}));
}

TEST(Retained, AMessageWithoutPayloadRemovesAndIsNotKept) {  // [MQTT-3.3.1-6 -7]
  Retained retained;
  retained.keep(message("a/b", "1"), plenty);
  EXPECT_TRUE(retained.keep(message("a/b", ""), plenty));
  EXPECT_TRUE(retained.keep(message("c", ""), plenty));
  EXPECT_EQ(retained.size(), 0u);
  EXPECT_EQ(retained.bytes(), 0u);
  EXPECT_EQ(found(retained, "#"), (Topics{}));
}

TEST(Retained, AreFoundByWildcardsInTheOrderOfTopics) {
  Retained retained;
  for (const char* topic : {"b", "a/c/d", "a", "a/b", "/", "a/", "$SYS/x"}) {
    retained.keep(message(topic, "1"), plenty);
  }
  EXPECT_EQ(found(retained, "#"), (Topics{"/", "a", "a/", "a/b", "a/c/d", "b"}));
  EXPECT_EQ(found(retained, "a/#"), (Topics{"a", "a/", "a/b", "a/c/d"}));
  EXPECT_EQ(found(retained, "a/+"), (Topics{"a/", "a/b"}));
  EXPECT_EQ(found(retained, "+"), (Topics{"a", "b"}));
  EXPECT_EQ(found(retained, "+/+"), (Topics{"/", "a/", "a/b"}));
  EXPECT_EQ(found(retained, "+/x"), (Topics{})) << "wildcards do not match $ [MQTT-4.7.2-1]";
  EXPECT_EQ(found(retained, "$SYS/#"), (Topics{"$SYS/x"}));
}

TEST(Retained, ExpireAskedOrNot) {  // [MQTT-3.3.2-5]
  Retained retained;
  retained.keep(message("a", "1", 10), plenty);
  retained.keep(message("b", "1", 20), plenty);
  retained.keep(message("c", "1"), plenty);
  EXPECT_EQ(found(retained, "#", start + seconds(10)), (Topics{"b", "c"}));
  retained.expire(start + seconds(9));
  EXPECT_EQ(retained.size(), 3u);
  retained.keep(message("a", "again"), plenty);
  retained.expire(start + seconds(20));
  EXPECT_EQ(found(retained, "#"), (Topics{"a", "c"}));
}

TEST(Retained, AreBoundedByNumberAndByBytes) {
  Retained retained;
  EXPECT_TRUE(retained.keep(message("a", "1"), {1, 1u << 20}));
  EXPECT_FALSE(retained.keep(message("b", "1"), {1, 1u << 20}));
  EXPECT_TRUE(retained.keep(message("a", "2"), {1, 1u << 20}));
  EXPECT_FALSE(retained.keep(message("a", std::string(5000, 'x')), {1, 4000}));
  EXPECT_EQ(found(retained, "#"), (Topics{})) << "what it replaced is not the last one any more";
  EXPECT_EQ(retained.bytes(), 0u);
}

TEST(Retained, WhatIsKeptAfterTheBeginningIsLeftOut) {
  Retained retained;
  retained.keep(message("a", "1"), plenty);
  retained.keep(message("b", "1"), plenty);
  Retained::Position position = retained.begin();
  retained.keep(message("b", "2"), plenty);
  retained.keep(message("c", "1"), plenty);
  std::vector<PublicationPtr> out;
  retained.read("#", position, 10, start, out);
  EXPECT_EQ(topics(out), (Topics{"a"}));
}

// The same in pieces of any size, while messages come and go, as a plain map gives them: whatever
// was there all the time is given once.
TEST(Retained, AreReadInPiecesAsAPlainMapGivesThem) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto pick = [&](int count) {
    return std::uniform_int_distribution<int>(0, count - 1)(random);
  };
  const auto path = [&](bool wildcards) {
    std::string text;
    for (int count = 1 + pick(4), i = 0; i < count; ++i) {
      if (i > 0) text += '/';
      const int kind = pick(wildcards ? 6 : 4);
      if (kind == 5 && i + 1 == count) return text + '#';
      text += kind >= 4 ? "+" : std::array{"a", "b", "", "$c"}[static_cast<std::size_t>(kind)];
    }
    return text.empty() ? std::string("a") : text;
  };
  Retained retained;
  std::map<std::string, std::uint64_t> model;  // when each was kept
  std::uint64_t clock = 0;
  const auto change = [&] {
    const std::string topic = path(false);
    const bool there = pick(3) != 0;
    retained.keep(message(topic, there ? "x" : ""), plenty);
    model.erase(topic);
    if (there) model[topic] = ++clock;
  };
  for (int round = 0; round < 2000; ++round) {
    for (int i = pick(10); i > 0; --i) change();
    ASSERT_EQ(retained.size(), model.size());
    const std::string filter = path(true);
    Subscriptions one;
    one.add({1, {}, nullptr}, {filter, {}});
    const std::uint64_t begun = clock;
    std::map<std::string, std::uint64_t> before = model;
    Retained::Position position = retained.begin();
    std::vector<PublicationPtr> out;
    while (!position.done) {
      retained.read(filter, position, static_cast<std::size_t>(1 + pick(3)), start, out);
      for (int i = pick(3); i > 0; --i) change();
    }
    std::map<std::string, int> given;
    for (const std::string& topic : topics(out)) ++given[topic];
    for (const auto& [topic, kept] : before) {
      Subscriptions::Matches matches;
      one.match(topic, std::nullopt, matches);
      const auto now = model.find(topic);
      const bool stayed = now != model.end() && now->second == kept;
      const bool matched = !matches.empty();
      const std::size_t times = given.count(topic);
      ASSERT_TRUE(matched || times == 0) << filter << " gave " << topic;
      ASSERT_TRUE(!matched || !stayed || times == 1) << filter << " did not give " << topic;
    }
    for (const auto& [topic, times] : given) {
      ASSERT_EQ(times, 1) << topic;
      ASSERT_TRUE(before.contains(topic)) << topic << " was kept after " << begun;
    }
  }
}

}  // namespace
}  // namespace doctor::mqtt
