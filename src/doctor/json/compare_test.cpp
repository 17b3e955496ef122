#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/json/random_json.hpp"
#include "doctor/json/value.hpp"

namespace doctor::json {
namespace {

bool same(std::string_view a, std::string_view b) {
  EXPECT_EQ(equal(a, b), equal(b, a)) << a << " " << b;
  return equal(a, b);
}

TEST(Equal, ScalarsOfDifferentKindsAreDifferent) {
  const std::vector<std::string> values = {"null", "false", "true", "0",        "\"\"",   "[]",
                                           "{}",   "\"0\"", "1",    "\"null\"", "[null]", "[[]]"};
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      EXPECT_EQ(same(values[i], values[j]), i == j) << values[i] << " " << values[j];
    }
  }
}

TEST(Equal, NumbersAreComparedByValueWithoutBeingExpanded) {
  EXPECT_TRUE(same("1", "1.0"));
  EXPECT_TRUE(same("1", "1e0"));
  EXPECT_TRUE(same("1", "10e-1"));
  EXPECT_TRUE(same("0", "-0.00e5"));
  EXPECT_TRUE(same("0", "0e1000000"));
  EXPECT_TRUE(same("1e1000000", "10E+999999"));
  EXPECT_TRUE(same("123.4500", "1.2345E2"));
  EXPECT_TRUE(same("0.001", "1e-3"));
  EXPECT_TRUE(same("1000000000000000000000", "1e21"));
  EXPECT_FALSE(same("1", "-1"));
  EXPECT_FALSE(same("1e1000000", "1e999999"));
  EXPECT_FALSE(same("1", "1.00000000000000000000000001"));
  EXPECT_FALSE(same("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(same("0.1", "0.10000000000000000555"));
}

TEST(Equal, StringsAreComparedByTheirCharacters) {
  EXPECT_TRUE(same(R"("A\/")", R"("\u0041/")"));
  EXPECT_TRUE(same(R"("\ud83d\ude00")", "\"\U0001F600\""));
  EXPECT_TRUE(same(R"("\n\u000A")", R"("\u000a\n")"));
  EXPECT_FALSE(same(R"("A")", R"("a")"));
  EXPECT_FALSE(same(R"("\\u0041")", R"("A")"));
  EXPECT_FALSE(same("\"\u00e9\"", "\"e\u0301\""));  // no normalisation
  EXPECT_FALSE(same(R"("ab")", R"("ab\u0000")"));
}

TEST(Equal, TheOrderOfKeysDoesNotMatterThatOfElementsDoes) {
  EXPECT_TRUE(same(R"({"a":1,"b":[true,{}]})", R"({"b":[true,{}],"\u0061":1.0})"));
  EXPECT_TRUE(same(R"({"a":{"x":1,"y":2},"b":0,"c":0})", R"({"a":{"y":2,"x":1},"c":0,"b":0})"));
  EXPECT_FALSE(same(R"({"a":1,"b":2})", R"({"b":1,"a":2})"));
  EXPECT_FALSE(same(R"({"a":1})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(same(R"({"a":1,"b":2})", R"({"a":1,"c":2})"));
  EXPECT_FALSE(same("{}", R"({"a":null})"));
  EXPECT_FALSE(same("[1,2]", "[2,1]"));
  EXPECT_FALSE(same("[1,2]", "[1]"));
  EXPECT_FALSE(same("[]", "[1]"));
  EXPECT_FALSE(same("[[],[1]]", "[[1],[]]"));
  EXPECT_FALSE(same(R"([{"a":1}])", R"([{"a":1},{}])"));
}

TEST(Equal, ManyKeysInAnotherOrderAreTheSame) {
  std::string forwards = "{";
  std::string backwards = "{";
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) {
    forwards += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":[" + std::to_string(i) + "]";
    backwards += (i > 0 ? ",\"k" : "\"k") + std::to_string(count - 1 - i) + "\":[" +
                 std::to_string(count - 1 - i) + ".0]";
  }
  EXPECT_TRUE(same(forwards + "}", backwards + "}"));
  EXPECT_FALSE(same(forwards + "}", backwards + ",\"x\":1}"));
  EXPECT_FALSE(same(forwards + ",\"y\":1}", backwards + ",\"x\":1}"));
}

TEST(Equal, KeysMayBeInAnotherOrderOnEveryLevel) {
  std::string a = "0";
  std::string b = "0.0";
  for (int level = 0; level < 60; ++level) {
    a = R"({"x":[1,"}"],"y":)" + a + R"(,"z":[)" + std::to_string(level) + "]}";
    b = R"({"z":[)" + std::to_string(level) + R"(],"x":[1,"}"],"y":)" + b + "}";
  }
  EXPECT_TRUE(same(a, b));
  EXPECT_TRUE(same("[" + a + ",[1]]", "[" + b + ",[1]]"));
  EXPECT_FALSE(same("[" + a + ",[1]]", "[" + b + ",[2]]"));
  b.replace(b.find("0.0"), 3, "1.0");
  EXPECT_FALSE(same(a, b));
}

TEST(Equal, AnotherSpellingIsEqualAndAnotherValueIsNot) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  RandomJson random(seed);
  for (int round = 0; round < 5'000; ++round) {
    const std::string value = random.object(4);
    EXPECT_TRUE(same(value, random.respelt(value))) << value;
    const std::string more = "[" + value + ",1]";
    EXPECT_FALSE(same(more, "[" + random.respelt(value) + ",2]")) << value;
  }
}

TEST(CompareNumbers, OrdersByValue) {
  const std::vector<std::vector<std::string>> ascending = {
      {"-1e1000000", "-10E999999"},
      {"-1e400"},
      {"-123456789012345678901"},
      {"-123456789012345678900", "-1.234567890123456789e20"},
      {"-1000000000000000000", "-1e18"},
      {"-999999999999999999"},
      {"-12.5", "-125e-1"},
      {"-12"},
      {"-1.0000000000000000000001"},
      {"-1", "-1.0"},
      {"-0.5"},
      {"-1e-1000000"},
      {"0", "-0", "0.0", "0e5", "-0E-1000000"},
      {"1e-1000000", "0.1e-999999"},
      {"0.0999"},
      {"0.1", "1e-1", "0.10"},
      {"0.11"},
      {"1"},
      {"9.99"},
      {"10", "1e1", "1.0E+1"},
      {"999999999999999999"},
      {"1000000000000000000", "1e18"},
      {"1000000000000000000.5"},
      {"1000000000000000001"},
      {"1e400"},
      {"1e1000000"},
  };
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      for (const std::string& a : ascending[i]) {
        for (const std::string& b : ascending[j]) {
          EXPECT_EQ(compare_numbers(a, b), i <=> j) << a << " " << b;
        }
      }
    }
  }
}

TEST(CompareNumbers, AgreesWithExactArithmetic) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  RandomJson random(seed);
  // A number of at most 5 digits at 10^-4 to 10^4, and 10^8 times its value.
  const auto some = [&] {
    const auto digits = static_cast<std::int64_t>(random.below(10'000)) - 5'000;
    const auto exponent = static_cast<int>(random.below(9)) - 4;
    std::int64_t exact = digits * 10'000;
    std::int64_t scale = 1;
    for (int i = 0; i < exponent + 4; ++i) scale *= 10;
    exact *= scale;
    return std::pair(std::to_string(digits) + "e" + std::to_string(exponent), exact);
  };
  for (int round = 0; round < 20'000; ++round) {
    const auto [a, exact_a] = some();
    const auto [b, exact_b] = some();
    ASSERT_EQ(compare_numbers(a, b), exact_a <=> exact_b) << a << " " << b;
  }
}

TEST(CompareStrings, OrdersByCodePointHoweverSpelt) {
  const std::vector<std::vector<std::string>> ascending = {
      {R"("")"},
      {R"("\u0000")"},
      {R"("\u0000a")"},
      {R"("\u001f")"},
      {R"("A")", R"("\u0041")"},
      {R"("Aa")", R"("A\u0061")"},
      {R"("B")"},
      {R"("a")"},
      {R"("a/")", R"("a\/")"},
      {"\"\x7F\""},
      {"\"\u00e9\"", R"("\u00E9")"},
      {"\"\uD7FF\"", R"("\ud7ff")"},
      {"\"\uFFFD\"", R"("\ufffd")"},
      {"\"\U00010000\"", R"("\ud800\udc00")"},
      {"\"\U00010000\U0001F600\"", R"("\ud800\udc00\ud83d\ude00")"},
      {"\"\U0006C000\"", R"("\uD970\uDC00")"},
      {"\"\U0010FFFF\"", R"("\udbff\udfff")"},
  };
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      for (const std::string& a : ascending[i]) {
        for (const std::string& b : ascending[j]) {
          EXPECT_EQ(compare_strings(a, b), i <=> j) << a << " " << b;
        }
      }
    }
  }
}

}  // namespace
}  // namespace doctor::json
