#include "doctor/mqtt/aliases.hpp"

#include <gtest/gtest.h>

namespace doctor::mqtt {
namespace {

Publish publish(std::string_view topic, std::optional<std::uint32_t> alias) {
  Publish made;
  made.topic = topic;
  if (alias) made.properties.add(PropertyId::topic_alias, *alias);
  return made;
}

// The topic that is resolved, or the reason of the refusal as a number.
std::string resolved(ReceivedAliases& aliases, Publish made) {
  const auto refusal = aliases.resolve(made, 3);
  return refusal ? std::to_string(static_cast<int>(refusal->reason)) : std::string(made.topic);
}

TEST(ReceivedAliases, StandForTheTopicThatSetThem) {  // [MQTT-3.3.2-12]
  ReceivedAliases aliases;
  EXPECT_EQ(resolved(aliases, publish("a", 3)), "a");
  EXPECT_EQ(resolved(aliases, publish("", 3)), "a");
  EXPECT_EQ(resolved(aliases, publish("b", 3)), "b") << "it is set anew";
  EXPECT_EQ(resolved(aliases, publish("", 3)), "b");
  EXPECT_EQ(resolved(aliases, publish("c", std::nullopt)), "c");
}

TEST(ReceivedAliases, ThatAreOutOfRangeOrNotSetAreRefused) {  // [MQTT-3.3.2-8 -9]
  ReceivedAliases aliases;
  EXPECT_EQ(resolved(aliases, publish("a", 0)), std::to_string(0x94));
  EXPECT_EQ(resolved(aliases, publish("a", 4)), std::to_string(0x94));
  EXPECT_EQ(resolved(aliases, publish("", 2)), std::to_string(0x82));
}

TEST(SentAliases, AreGivenToTheFirstTopicsAsManyAsTheClientAllows) {  // [MQTT-3.1.2-26]
  SentAliases aliases(2);
  const auto use = [&](std::string_view topic) {
    const auto alias = aliases.use(topic);
    return std::to_string(alias.number) + (alias.known ? " known" : "");
  };
  EXPECT_EQ(use("a"), "1");
  EXPECT_EQ(use("b"), "2");
  EXPECT_EQ(use("a"), "1 known");
  EXPECT_EQ(use("c"), "0");
  EXPECT_EQ(SentAliases().use("a").number, 0) << "[MQTT-3.1.2-27]";
}

}  // namespace
}  // namespace doctor::mqtt
