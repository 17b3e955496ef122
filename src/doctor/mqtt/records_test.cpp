#include "doctor/mqtt/records.hpp"

#include <gtest/gtest.h>

namespace doctor::mqtt {
namespace {

SessionRecord session_record() {
  SessionRecord record;
  record.key = std::string("sabc\0client", 11);
  record.since = document::Revision(7);
  record.expiry = 3600;
  record.ends = Timestamp(1'700'000'000'000);
  record.place = FeedPosition{document::Revision(9), 3};
  record.next_sent = 70'000;
  record.received = {1, 65'535};
  record.will = SessionRecord::Will{60, Timestamp(5), "a message"};
  record.readings = {{4, 5, "a/b"}, {6, 7, ""}};
  return record;
}

// Every shorter text and every longer one is refused.
template <class Record>
void expect_whole(const std::string& bytes) {
  ASSERT_TRUE(Record::decode(bytes));
  EXPECT_EQ(Record::decode(bytes)->bytes(), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Record::decode(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(Record::decode(bytes + '\0'));
  std::string newer = bytes;
  newer[0] = 2;
  EXPECT_FALSE(Record::decode(newer)) << "of a version that is not known";
}

TEST(Records, AreReadAsTheyWereWritten) {
  expect_whole<SessionRecord>(session_record().bytes());
  expect_whole<SessionRecord>(SessionRecord{}.bytes());
  expect_whole<SubscriptionRecord>(
      SubscriptionRecord{"$share/g/a/#", {QoS::exactly_once, true, true}, "\x0B\x01"}.bytes());
  QueuedRecord queued;
  queued.stage = QueuedRecord::Stage::received;
  queued.qos = QoS::exactly_once;
  queued.sent = 1;
  expect_whole<QueuedRecord>(queued.bytes());
  expect_whole<Progress>(Progress{{document::Revision(1), 2}}.bytes());
}

TEST(Records, HaveKeysThatKeepASessionTogether) {
  const RecordKey key{RecordKind::queued, 1, 0x0102030405060708};
  EXPECT_EQ(key.bytes(), std::string("Q\0\0\0\0\0\0\0\1\1\2\3\4\5\6\7\10", 17));
  const auto decoded = RecordKey::decode(key.bytes());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->bytes(), key.bytes());
  EXPECT_FALSE(RecordKey::decode("Q"));
}

TEST(Records, RefuseAQoSAndAStageThatThereAreNot) {
  std::string bytes = QueuedRecord{}.bytes();
  bytes[1] = 3;
  EXPECT_FALSE(QueuedRecord::decode(bytes));
  bytes = QueuedRecord{}.bytes();
  bytes[2] = 3;
  EXPECT_FALSE(QueuedRecord::decode(bytes));
}

}  // namespace
}  // namespace doctor::mqtt
