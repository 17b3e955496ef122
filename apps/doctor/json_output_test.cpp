#include "json_output.hpp"

#include <gtest/gtest.h>

namespace doctor::app {
namespace {

TEST(Pretty, EachMemberHasALineOfItsOwn) {
  EXPECT_EQ(pretty(R"({"id":"1","cluster":{"name":"Default"}})", false),
            "{\n  \"id\": \"1\",\n  \"cluster\": {\n    \"name\": \"Default\"\n  }\n}");
}

TEST(Pretty, AShortArrayOfScalarsStaysOnOneLine) {
  EXPECT_EQ(pretty(R"({"disk":["d1","d2"]})", false), "{\n  \"disk\": [\"d1\", \"d2\"]\n}");
}

TEST(Pretty, AnArrayOfObjectsHasALineForEach) {
  EXPECT_EQ(pretty(R"([{"a":1},{"a":2}])", false),
            "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]");
}

TEST(Pretty, EmptyOnesStayAsTheyAre) {
  EXPECT_EQ(pretty("[]", false), "[]");
  EXPECT_EQ(pretty("{}", false), "{}");
  EXPECT_EQ(pretty("[[],{}]", false), "[\n  [],\n  {}\n]");
}

TEST(Pretty, EveryColourIsSwitchedOffAgain) {
  EXPECT_EQ(pretty("[1,null]", true), "[\x1b[36m1\x1b[0m, \x1b[35mnull\x1b[0m]");
}

}  // namespace
}  // namespace doctor::app
