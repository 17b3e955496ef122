#include "doctor/rest/target.hpp"

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

std::string parameter(std::string_view target, std::string_view name) {
  const auto value = find_parameter(split_target(target).parameters, name);
  if (!value) return "(twice)";
  if (!*value) return "(none)";
  const auto decoded = decode_parameter(**value);
  return decoded ? *decoded : "(invalid)";
}

TEST(Target, IsSplitAtTheFirstQuestionMark) {
  const Target target = split_target("/entities/vm?q={\"where\":{\"name\":\"?\"}}");
  EXPECT_EQ(target.path, "/entities/vm");
  EXPECT_EQ(target.parameters, "q={\"where\":{\"name\":\"?\"}}");
}

TEST(Target, HasNoParametersWithoutAQuestionMark) {
  EXPECT_EQ(split_target("/entities/vm").parameters, "");
  EXPECT_EQ(split_target("/entities/vm?").parameters, "");
}

TEST(Target, OfTheAbsoluteFormNamesTheHost) {
  const Target target = split_target("HTTP://example.org:3000/entities?q=1");
  EXPECT_EQ(target.authority, "example.org:3000");
  EXPECT_EQ(target.path, "/entities");
  EXPECT_EQ(target.parameters, "q=1");
  EXPECT_EQ(split_target("http://example.org").path, "/");
  EXPECT_EQ(split_target("http://example.org?a=1").parameters, "a=1");
  EXPECT_EQ(split_target("http://example.org?a=1").path, "/");
}

TEST(Target, OfTheAsteriskFormIsAPathOfItsOwn) {
  EXPECT_EQ(split_target("*").path, "*");
}

TEST(Parameter, QMayBeSentRawOrPercentEncoded) {
  EXPECT_EQ(parameter("/e?q={\"select\":[\"name\"]}", "q"), "{\"select\":[\"name\"]}");
  EXPECT_EQ(parameter("/e?q=%7B%22select%22%3A%5B%22name%22%5D%7D", "q"),
            "{\"select\":[\"name\"]}");
}

TEST(Parameter, APlusIsABlankAndPercent2BAPlus) {
  EXPECT_EQ(parameter("/e?q=a+b%2Bc", "q"), "a b+c");
}

TEST(Parameter, EndsAtTheFirstAmpersandOrNumberSign) {
  EXPECT_EQ(parameter("/e?q=a&b", "q"), "a");
  EXPECT_EQ(parameter("/e?q=a#b", "q"), "a");
  EXPECT_EQ(parameter("/e?q=a%26b%23c", "q"), "a&b#c");
}

TEST(Parameter, IsFoundAmongOthersByItsWholeName) {
  EXPECT_EQ(parameter("/e?qq=1&x&q=2&z=3", "q"), "2");
  EXPECT_EQ(parameter("/e?qq=1", "q"), "(none)");
  EXPECT_EQ(parameter("/e?q", "q"), "");
  EXPECT_EQ(parameter("/e?q=", "q"), "");
}

TEST(Parameter, GivenTwiceIsAnError) {
  EXPECT_EQ(parameter("/e?q=1&q=2", "q"), "(twice)");
}

TEST(Parameter, APercentWithoutTwoDigitsIsItself) {
  EXPECT_EQ(parameter("/e?q=100%", "q"), "100%");
  EXPECT_EQ(parameter("/e?q=%zz%4", "q"), "%zz%4");
  EXPECT_EQ(parameter("/e?q=%%41", "q"), "%A");
}

TEST(Parameter, MayHoldAnyOctetButBlanksAndControls) {
  EXPECT_EQ(parameter("/e?q=\xC3\xA9\xFF", "q"), "\xC3\xA9\xFF");
  EXPECT_EQ(parameter("/e?q=a b", "q"), "(invalid)");
  EXPECT_EQ(parameter("/e?q=a\tb", "q"), "(invalid)");
  EXPECT_EQ(parameter("/e?q=a\x7F", "q"), "(invalid)");
}

TEST(Parameter, AllOfOneNameComeInTheirOrder) {
  ParameterValues values("collection=vm&x=1&collection=disk", "collection");
  EXPECT_EQ(values.next(), "vm");
  EXPECT_EQ(values.next(), "disk");
  EXPECT_EQ(values.next(), std::nullopt);
}

TEST(Segment, IsDecodedStrictly) {
  EXPECT_EQ(*decode_segment("a%2Fb"), "a/b");
  EXPECT_EQ(*decode_segment("a+b"), "a+b");
  EXPECT_FALSE(decode_segment("100%"));
  EXPECT_FALSE(decode_segment("%4"));
}

}  // namespace
}  // namespace doctor::rest
