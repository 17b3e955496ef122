#include "doctor/mqtt/topic.hpp"

#include <gtest/gtest.h>

namespace doctor::mqtt {
namespace {

using document::Change;
using document::ChangeKind;
using document::Permissions;

std::string updated(std::vector<std::string> fields) {
  return announcement_payload({ChangeKind::updated, "vm", "1", std::move(fields)});
}

TEST(Topic, OfADocumentIsItsCollectionAndItsId) {
  EXPECT_EQ(document_topic("vm", "1"), "vm/1");
  EXPECT_EQ(document_topic("vm", "8f4b $&\xC3\xA4"), "vm/8f4b $&\xC3\xA4");
}

TEST(Topic, PercentSlashPlusAndHashOfAnIdArePercentEncoded) {
  EXPECT_EQ(document_topic("vm", "a/b+c#d%e"), "vm/a%2Fb%2Bc%23d%25e");
  EXPECT_EQ(document_topic("vm", "%2F"), "vm/%252F");
  EXPECT_EQ(document_topic("vm", "/"), "vm/%2F");
}

TEST(Topic, APermissionForAnIdHoldsAtItsTopic) {
  const auto permissions = Permissions::parse(R"({"vm":["a/b","%2F","1"],"host":"*"})").value();
  for (const std::string id : {"a/b", "%2F", "1"}) {
    EXPECT_TRUE(may_read_topic(permissions, document_topic("vm", id))) << id;
  }
  for (const std::string id : {"a%2Fb", "/", "2", "*"}) {
    EXPECT_FALSE(may_read_topic(permissions, document_topic("vm", id))) << id;
  }
  EXPECT_TRUE(may_read_topic(permissions, "host/x"));
  EXPECT_FALSE(may_read_topic(permissions, "disk/1"));
}

TEST(Topic, ThePayloadOfAnUpdateNamesTheChangedFields) {
  EXPECT_EQ(announcement_payload({ChangeKind::created, "vm", "1", {}}), "+");
  EXPECT_EQ(announcement_payload({ChangeKind::removed, "vm", "1", {}}), "-");
  EXPECT_EQ(updated({"status", "exit_reason"}), "status,exit_reason");
}

TEST(Topic, APercentAndACommaWithinAFieldNameArePercentEncoded) {
  EXPECT_EQ(updated({"a,b", "100%"}), "a%2Cb,100%25");
}

TEST(Topic, APayloadThatWouldBeJustPlusOrMinusIsPercentEncoded) {
  EXPECT_EQ(updated({"+"}), "%2B");
  EXPECT_EQ(updated({"-"}), "%2D");
  EXPECT_EQ(updated({"+", "-"}), "+,-");
}

TEST(Topic, Filters) {  // [MQTT-4.7.1-1] [MQTT-4.7.1-2]
  for (const char* good :
       {"#", "+", "a", "/", "a/#", "+/+", "+/a/#", "/+", "a//b", " ", "$SYS/#"}) {
    EXPECT_TRUE(is_topic_filter(good)) << good;
  }
  for (const char* bad : {"", "a#", "#/", "##", "a/#/b", "a+", "+a", "++", "a/b+", "#a"}) {
    EXPECT_FALSE(is_topic_filter(bad)) << bad;
  }
  EXPECT_EQ(topic_levels("a"), 1u);
  EXPECT_EQ(topic_levels("/"), 2u);
  EXPECT_EQ(topic_levels("a/b/"), 3u);
}

}  // namespace
}  // namespace doctor::mqtt
