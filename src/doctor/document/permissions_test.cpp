#include "doctor/document/permissions.hpp"

#include <string>

#include <gtest/gtest.h>

namespace doctor::document {
namespace {

Permissions parsed(std::string_view value) {
  return Permissions::parse(value).value();
}

TEST(Permissions, OfNothingReadNothing) {
  const Permissions none;
  EXPECT_FALSE(none.may_read("vm", "1"));
  EXPECT_FALSE(none.reads_everything());
  EXPECT_FALSE(none.reads_all_of("vm"));
  EXPECT_EQ(none.listed("vm"), nullptr);
  EXPECT_FALSE(parsed("{}").may_read("vm", "1"));
}

TEST(Permissions, AStarIsEverything) {
  for (const Permissions& all :
       {parsed("\"*\""), parsed(R"("\u002a")"), Permissions::everything()}) {
    EXPECT_TRUE(all.reads_everything());
    EXPECT_TRUE(all.may_read("vm", "1"));
    EXPECT_TRUE(all.reads_all_of("anything"));
    EXPECT_EQ(all.listed("vm"), nullptr);
  }
}

TEST(Permissions, NameCollectionsByStarByIdOrByIds) {
  const Permissions some =
      parsed(R"({"host":"*","vm":["1",2,-0,"a b"],"disk":"7","nic":8,"no":[]})");
  EXPECT_FALSE(some.reads_everything());
  EXPECT_TRUE(some.reads_all_of("host"));
  EXPECT_TRUE(some.may_read("host", "any"));
  EXPECT_EQ(some.listed("host"), nullptr);
  EXPECT_FALSE(some.reads_all_of("vm"));
  for (const char* id : {"1", "2", "0", "a b"}) EXPECT_TRUE(some.may_read("vm", id)) << id;
  EXPECT_FALSE(some.may_read("vm", "3"));
  EXPECT_FALSE(some.may_read("vm", "*"));
  EXPECT_TRUE(some.may_read("disk", "7"));
  EXPECT_FALSE(some.may_read("disk", "8"));
  EXPECT_TRUE(some.may_read("nic", "8"));
  EXPECT_FALSE(some.may_read("no", "1"));
  EXPECT_FALSE(some.may_read("other", "1"));
  ASSERT_NE(some.listed("vm"), nullptr);
  EXPECT_EQ(some.listed("vm")->size(), 4u);
}

TEST(Permissions, InAnArrayAStarIsAnIdLikeAnyOther) {
  const Permissions some = parsed(R"({"vm":["*"]})");
  EXPECT_FALSE(some.reads_all_of("vm"));
  EXPECT_TRUE(some.may_read("vm", "*"));
  EXPECT_FALSE(some.may_read("vm", "1"));
}

TEST(Permissions, ThereAreNoPatterns) {
  EXPECT_FALSE(parsed(R"({"vm":"a*"})").may_read("vm", "ab"));
  EXPECT_TRUE(parsed(R"({"vm":"a*"})").may_read("vm", "a*"));
}

TEST(Permissions, AnythingElseIsRefused) {
  for (const char* bad : {"null",
                          "true",
                          "1",
                          "[]",
                          R"("")",
                          R"("vm")",
                          R"(["*"])",
                          R"({"vm":null})",
                          R"({"vm":true})",
                          R"({"vm":{}})",
                          R"({"vm":1.5})",
                          R"({"vm":1e3})",
                          R"({"vm":""})",
                          R"({"vm":[""]})",
                          R"({"vm":[null]})",
                          R"({"vm":[["1"]]})",
                          R"({"vm":["a\n"]})",
                          R"({"vm":[1.0]})",
                          R"({"*":"*"})",
                          R"({"v m":"*"})",
                          R"({"":"*"})",
                          R"({"$sessions":"*"})"}) {
    const auto refused = Permissions::parse(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Errc::invalid);
    EXPECT_EQ(refused.error().field, "permissions");
  }
}

}  // namespace
}  // namespace doctor::document
