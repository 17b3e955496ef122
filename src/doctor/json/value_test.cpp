#include "doctor/json/value.hpp"

#include <gtest/gtest.h>

namespace doctor::json {
namespace {

TEST(Equal, NumbersAreComparedByValueWithoutBeingExpanded) {
  EXPECT_TRUE(equal("1", "1.0"));
  EXPECT_TRUE(equal("1", "1e0"));
  EXPECT_TRUE(equal("1", "10e-1"));
  EXPECT_TRUE(equal("0", "-0.00e5"));
  EXPECT_TRUE(equal("1e1000000", "10E+999999"));
  EXPECT_FALSE(equal("1", "-1"));
  EXPECT_FALSE(equal("1", "1.00000000000000000000000001"));
}

TEST(Equal, TheOrderOfKeysAndTheSpellingOfStringsDoNotMatter) {
  EXPECT_TRUE(equal("{\"a\":1,\"b\":[true,{}]}", "{\"b\":[true,{}],\"\\u0061\":1.0}"));
  EXPECT_FALSE(equal("{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}"));
  EXPECT_FALSE(equal("{\"a\":1}", "{\"a\":1,\"b\":2}"));
  EXPECT_FALSE(equal("[1,2]", "[1]"));
  EXPECT_FALSE(equal("[1]", "[1,2]"));
  EXPECT_FALSE(equal("[]", "[1]"));
}

}  // namespace
}  // namespace doctor::json
