#include "doctor/json/value.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/json/random_json.hpp"
#include "doctor/json/scanner.hpp"

namespace doctor::json {
namespace {

TEST(Value, ItsKindIsThatOfItsFirstOctet) {
  EXPECT_EQ(kind("null"), Kind::null);
  EXPECT_EQ(kind("true"), Kind::boolean);
  EXPECT_EQ(kind("false"), Kind::boolean);
  EXPECT_EQ(kind("-1"), Kind::number);
  EXPECT_EQ(kind("0"), Kind::number);
  EXPECT_EQ(kind("\"\""), Kind::string);
  EXPECT_EQ(kind("[]"), Kind::array);
  EXPECT_EQ(kind("{}"), Kind::object);
}

TEST(ValueLength, IsThatOfTheValueWhateverFollows) {
  for (const std::string value :
       {"null", "true", "false", "0", "-12.5e+7", R"("")", R"("a\"b\\")", R"("]}")", "[]", "{}",
        R"([1,[2,"]"],{"a":"}"}])", R"({"a":{"b\"}":[{}]},"c":"\\"})"}) {
    for (const char* rest : {"", ",1", "]", "}", ",\"x\":[{"}) {
      EXPECT_EQ(value_length(value + rest), value.size()) << value << rest;
    }
  }
}

TEST(ValueLength, DoesNotDependOnWhereTheEndLies) {
  for (std::size_t size = 0; size < 80; ++size) {
    const std::string filler(size, 'x');
    for (const std::string& value :
         {"\"" + filler + "\"", "\"" + filler + R"(\"")", "\"" + filler + R"(\\")",
          "[\"" + filler + "\"]", "[" + std::string(size, '[') + std::string(size, ']') + "]",
          "{\"" + filler + R"(":"{[\"")" + "}", "[" + std::string(size + 1, '1') + "]"}) {
      ASSERT_TRUE(compact(value, 200)) << value;
      EXPECT_EQ(value_length(value), value.size());
      EXPECT_EQ(value_length(value + ",\"]}"), value.size());
    }
  }
}

TEST(Ranges, GiveElementsAndMembersInTheirOrder) {
  std::vector<std::string> found;
  for (const std::string_view element : Elements(R"([1,"a,]",[2,3],{"b":4},null])")) {
    found.emplace_back(element);
  }
  EXPECT_EQ(found, (std::vector<std::string>{"1", R"("a,]")", "[2,3]", R"({"b":4})", "null"}));
  found.clear();
  for (const Member& member : Members(R"({"a":1,"":"}","c\"":{"d":[]}})")) {
    found.push_back(std::string(member.name) + "=" + std::string(member.value));
  }
  EXPECT_EQ(found, (std::vector<std::string>{"a=1", R"(="}")", R"(c\"={"d":[]})"}));
  for ([[maybe_unused]] const std::string_view element : Elements("[]")) FAIL();
  for ([[maybe_unused]] const Member& member : Members("{}")) FAIL();
}

TEST(Unescape, GivesTheCharactersThatAreMeant) {
  EXPECT_EQ(unescape(""), "");
  EXPECT_EQ(unescape("plain \u20ac"), "plain \u20ac");
  EXPECT_EQ(unescape(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(unescape(R"(a\u0041\u00e9\u20AC\ud83D\uDe00z)"), "aA\u00e9\u20ac\U0001F600z");
  EXPECT_EQ(unescape(R"(\uD800\uDC00\uDBFF\uDFFF)"), "\U00010000\U0010FFFF");
  EXPECT_EQ(unescape(R"(\u0000x)"), std::string("\0x", 2));
}

TEST(AppendString, EscapesOnlyWhatMustBe) {
  EXPECT_EQ(json::quoted(""), R"("")");
  EXPECT_EQ(json::quoted("a/b \x7F\u20ac"), "\"a/b \x7F\u20ac\"");
  EXPECT_EQ(json::quoted("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(json::quoted(std::string("\0\x1F", 2)), R"("\u0000\u001f")");
  std::string out = "x";
  append_string(out, "y");
  EXPECT_EQ(out, R"(x"y")");
}

TEST(AppendString, IsUndoneByUnescape) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  RandomJson random(seed);
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (std::size_t n = random.below(50); n > 0; --n) {
      text += static_cast<char>(random.below(0x80));
    }
    const std::string spelt = json::quoted(text);
    ASSERT_TRUE(compact(spelt, 0)) << spelt;
    EXPECT_EQ(unescape(content(spelt)), text);
  }
}

}  // namespace
}  // namespace doctor::json
