#include "doctor/mqtt/outbox.hpp"

#include <gtest/gtest.h>

namespace doctor::mqtt {
namespace {

constexpr Outbox::Bounds wide{1'000'000, 1u << 30};

Message entry(std::string id, int qos = 0) {
  const document::Change change{document::ChangeKind::created, "vm", id, {}};
  return {Publication::announcement("vm/" + id, change, {document::Revision(1)}),
          static_cast<QoS>(qos), false, false, nullptr};
}

std::string next_topic(const Outbox& outbox) {
  const Message* next = outbox.next();
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
  const std::size_t one = sizeof(Message) + entry("1").publication->memory();
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
  EXPECT_TRUE(outbox.next()->commit_end);
}

TEST(Outbox, IfTheLastMessageOfACommitWasDroppedTheHintGoesWithIt) {
  Outbox outbox;
  outbox.push_of_commit(entry("1"), {1, 1000});
  outbox.push_of_commit(entry("2"), {1, 1000});
  outbox.end_commit();
  EXPECT_EQ(next_topic(outbox), "vm/1");
  EXPECT_FALSE(outbox.next()->commit_end);
}

TEST(Outbox, OnlyWhatIsAcknowledgedOutlivesAConnection) {
  Outbox outbox;
  for (const char* id : {"1", "2", "3", "4"}) outbox.push(entry(id, id[0] % 2), wide);
  outbox.push_of_commit(entry("5", 1), wide);
  outbox.keep_acknowledged();
  for (const char* topic : {"vm/1", "vm/3", "vm/5"}) {
    EXPECT_EQ(next_topic(outbox), topic);
    // More of the commit may follow when the client returns.
    EXPECT_FALSE(outbox.pop().commit_end);
  }
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0u);
}

TEST(Outbox, APlaceAmongWhatWaitsStaysTheSameWhenSomeOfItIsForgotten) {
  Outbox outbox;
  outbox.push(entry("0", 1), wide);
  outbox.pop();
  for (const char* id : {"1", "2", "3"}) outbox.push(entry(id, id[0] % 2), wide);
  const std::uint64_t place = outbox.pushed();
  for (const char* id : {"4", "5", "6"}) outbox.push(entry(id, id[0] % 2), wide);
  const std::uint64_t after = outbox.acknowledged_before(place);
  EXPECT_EQ(outbox.acknowledged_before(0), outbox.popped());
  outbox.keep_acknowledged();
  EXPECT_LT(outbox.popped(), after);
  outbox.pop();
  outbox.pop();
  EXPECT_EQ(outbox.popped(), after);
  EXPECT_EQ(next_topic(outbox), "vm/5");
}

}  // namespace
}  // namespace doctor::mqtt
