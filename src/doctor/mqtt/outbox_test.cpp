#include "doctor/mqtt/outbox.hpp"

#include <gtest/gtest.h>

namespace doctor::mqtt {
namespace {

constexpr Outbox::Bounds wide{1'000'000, 1u << 30};

Outbox::Entry entry(std::string id, int qos = 0) {
  const document::Change change{document::ChangeKind::created, "vm", id, {}};
  return {Publication::announcement("vm/" + id, change, document::Revision(1)),
          static_cast<QoS>(qos), false, false};
}

std::string next_topic(const Outbox& outbox, std::size_t window = 10) {
  const Outbox::Entry* next = outbox.next(window);
  return next == nullptr ? "" : std::string(next->publication->topic());
}

TEST(Outbox, GivesMessagesInOrder) {
  Outbox outbox;
  EXPECT_TRUE(outbox.push(entry("1"), wide));
  EXPECT_TRUE(outbox.push(entry("2"), wide));
  EXPECT_EQ(next_topic(outbox), "vm/1");
  outbox.pop();
  EXPECT_EQ(next_topic(outbox), "vm/2");
  outbox.pop();
  EXPECT_EQ(next_topic(outbox), "");
  EXPECT_EQ(outbox.bytes(), 0u);
}

TEST(Outbox, IsBoundedByNumberAndByMemory) {
  Outbox outbox;
  const std::size_t one = sizeof(Outbox::Entry) + entry("1").publication->memory();
  EXPECT_TRUE(outbox.push(entry("1"), {1, one}));
  EXPECT_FALSE(outbox.push(entry("2"), {1, 1000}));
  EXPECT_FALSE(outbox.push(entry("2"), {2, 2 * one - 1}));
  EXPECT_TRUE(outbox.push(entry("2"), {2, 2 * one}));
}

TEST(Outbox, TheLastMessageOfACommitIsHeldUntilItIsKnownToBeTheLast) {
  Outbox outbox;
  outbox.push_of_commit(entry("1"), wide);
  EXPECT_EQ(next_topic(outbox), "");
  outbox.push_of_commit(entry("2"), wide);
  EXPECT_EQ(next_topic(outbox), "vm/1");
  outbox.pop();
  EXPECT_EQ(next_topic(outbox), "");
  outbox.end_commit();
  EXPECT_EQ(next_topic(outbox), "vm/2");
  EXPECT_TRUE(outbox.next(1)->commit_end);
}

TEST(Outbox, IfTheLastMessageOfACommitWasDroppedTheHintGoesWithIt) {
  Outbox outbox;
  outbox.push_of_commit(entry("1"), {1, 1000});
  outbox.push_of_commit(entry("2"), {1, 1000});
  outbox.end_commit();
  EXPECT_EQ(next_topic(outbox), "vm/1");
  EXPECT_FALSE(outbox.next(1)->commit_end);
}

TEST(Outbox, AtMostSoManyQoS1MessagesAreUnacknowledged) {  // [MQTT-3.3.4-9]
  Outbox outbox;
  for (const char* id : {"1", "2", "3"}) outbox.push(entry(id, 1), wide);
  EXPECT_EQ(outbox.send(), 1);
  outbox.pop();
  EXPECT_EQ(next_topic(outbox, 1), "");
  EXPECT_FALSE(outbox.acknowledge(2));
  EXPECT_TRUE(outbox.acknowledge(1));
  EXPECT_EQ(next_topic(outbox, 1), "vm/2");
}

TEST(Outbox, PacketIdentifiersInUseAreNotUsedAgainAndNoneIs0) {  // [MQTT-2.2.1-4]
  Outbox outbox;
  EXPECT_EQ(outbox.send(), 1);
  EXPECT_EQ(outbox.send(), 2);
  outbox.acknowledge(2);
  for (int i = 3; i <= 65'535; ++i) outbox.acknowledge(outbox.send());
  EXPECT_EQ(outbox.send(), 2);  // 1 is still in flight
}

}  // namespace
}  // namespace doctor::mqtt
