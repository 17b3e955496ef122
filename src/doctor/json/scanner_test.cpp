#include "doctor/json/scanner.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "doctor/json/random_json.hpp"

namespace doctor::json {
namespace {

std::string taken(std::string_view text, std::uint32_t depth = 64) {
  auto result = compact(text, depth);
  return result ? *result : "refused: " + result.error().detail;
}

bool accepts(std::string_view text) {
  return compact(text, 64).has_value();
}

// Where a text is refused; nothing if it is not, or not as invalid.
std::optional<std::uint64_t> refused_at(std::string_view text, std::uint32_t depth = 64) {
  const auto result = compact(text, depth);
  if (result || result.error().code != Errc::invalid) return std::nullopt;
  return result.error().offset;
}

TEST(Scanner, DropsBlanksOutsideStringsAndKeepsEveryOtherOctet) {
  EXPECT_EQ(taken(" { \"a\" : [ 1.0 , \"b c\\u0041\" ,\t{}\r\n] , \"d\":null } "),
            "{\"a\":[1.0,\"b c\\u0041\",{}],\"d\":null}");
  EXPECT_EQ(taken("[ ]"), "[]");
  EXPECT_EQ(taken("{ }"), "{}");
  EXPECT_EQ(taken("\n-0.0E+00\t"), "-0.0E+00");
  EXPECT_EQ(taken(" true"), "true");
  EXPECT_EQ(taken("false "), "false");
  EXPECT_EQ(taken("null"), "null");
  EXPECT_EQ(taken("\"\""), "\"\"");
}

TEST(Scanner, TakesOneValueAfterAnother) {
  Scanner scanner(" [1, 2] \"x\" , ");
  std::string out = ">";
  ASSERT_TRUE(scanner.value(out, 1));
  EXPECT_EQ(out, ">[1,2]");
  EXPECT_EQ(scanner.offset(), 7u);
  ASSERT_TRUE(scanner.value(out, 0));
  EXPECT_EQ(out, ">[1,2]\"x\"");
  EXPECT_FALSE(scanner.take(':'));
  EXPECT_FALSE(scanner.end());
  EXPECT_TRUE(scanner.take(','));
  EXPECT_TRUE(scanner.end());
  EXPECT_EQ(scanner.peek(), '\0');
  EXPECT_FALSE(scanner.take('\0'));
}

TEST(Scanner, TellsTheMembersOfAnObject) {
  const std::string_view text = " { \"a\" : {\"b\":1} , \"\\u0063\":2}";
  Scanner scanner(text);
  std::string out = "--";
  std::vector<Taken> members;
  ASSERT_TRUE(scanner.object(out, 2, members));
  EXPECT_EQ(out, "--{\"a\":{\"b\":1},\"\\u0063\":2}");
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(out.substr(members[0].name_at, members[0].name_length), "a");
  EXPECT_EQ(members[0].offset, text.find("\"a"));
  EXPECT_EQ(members[0].name_hash, name_hash("a"));
  EXPECT_FALSE(members[0].escaped);
  EXPECT_EQ(out.substr(members[1].name_at, members[1].name_length), "\\u0063");
  EXPECT_EQ(members[1].offset, text.find("\"\\u"));
  EXPECT_EQ(members[1].name_hash, name_hash("c"));
  EXPECT_TRUE(members[1].escaped);
}

TEST(Scanner, RefusesWhatIsNoJsonAndSaysWhere) {
  struct Case {
    std::string_view text;
    std::size_t offset;
  };
  const Case cases[] = {
      {"", 0},
      {"  ", 2},
      {"x", 0},
      {"[", 1},
      {"[1", 2},
      {"[1,", 3},
      {"[1,]", 3},
      {"[,1]", 1},
      {"[1 2]", 3},
      {"[1}", 2},
      {"{", 1},
      {"{]", 1},
      {"{,}", 1},
      {"{\"a\"", 4},
      {"{\"a\"}", 4},
      {"{\"a\":", 5},
      {"{\"a\":}", 5},
      {"{\"a\":1", 6},
      {"{\"a\":1,", 7},
      {"{\"a\":1,}", 7},
      {"{\"a\" 1}", 5},
      {"{a:1}", 1},
      {"{1:1}", 1},
      {"{\"a\":1]", 6},
      {"1 2", 2},
      {"{} x", 3},
      {"[]]", 2},
      {"tru", 3},
      {"trux", 3},
      {"TRUE", 0},
      {"nul", 3},
      {"nulll", 4},
      {"falsy", 4},
      {"truee", 4},
      {"'a'", 0},
      {"// c\n1", 0},
      {"/**/1", 0},
      {"\xEF\xBB\xBF{}", 0},
      {"NaN", 0},
      {"Infinity", 0},
      {"\f1", 0},
      {"\v1", 0},
      {"\xC2\xA0"
       "1",
       0},
      {"[1]\f", 3},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(refused_at(c.text), c.offset) << c.text;
  }
  EXPECT_EQ(refused_at(std::string_view("\0", 1)), 0u);
  EXPECT_EQ(refused_at(std::string_view("1\0", 2)), 1u);
  EXPECT_EQ(refused_at(std::string_view("[1,\0]", 5)), 3u);
}

TEST(Scanner, JudgesNumbersLetterByLetter) {
  for (const char* good : {"0", "-0", "1", "-1", "10", "0.0", "-0.5", "1.25", "1e5", "1E5", "1e+5",
                           "1e-5", "1e05", "0e0", "1.5e-07", "123456789012345678901234567890"}) {
    EXPECT_EQ(taken(good), good);
    EXPECT_EQ(taken(std::string("[") + good + "]"), std::string("[") + good + "]");
  }
  struct Case {
    std::string_view text;
    std::size_t offset;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"01", 1},  {"-01", 2}, {"00", 1}, {"1.", 2},   {"1.e5", 2},  {".5", 0},    {"-", 1},
           {"-.5", 1}, {"+1", 0},  {"1e", 2}, {"1e+", 3},  {"1e5.5", 3}, {"1.5.5", 3}, {"0x1", 1},
           {"1_0", 1}, {"--1", 1}, {"-a", 1}, {"1ee5", 2}, {"1e 5", 2},  {"1 .5", 2}}) {
    EXPECT_EQ(refused_at(c.text), c.offset) << c.text;
  }
}

TEST(Scanner, ANumberHasAtMost1024DigitsBeforeItsExponent) {
  const std::string ones(1024, '1');
  EXPECT_TRUE(accepts(ones));
  EXPECT_TRUE(accepts("-" + ones + "e5"));
  EXPECT_TRUE(accepts("1." + std::string(1023, '0') + "e10"));
  EXPECT_EQ(refused_at(" " + ones + "1"), 1u);
  EXPECT_EQ(refused_at("1." + std::string(1024, '0')), 0u);
}

TEST(Scanner, AnExponentIsAtMostAMillion) {
  EXPECT_TRUE(accepts("1e1000000"));
  EXPECT_TRUE(accepts("1E-1000000"));
  EXPECT_TRUE(accepts("1e+0000000000000000000000001000000"));
  EXPECT_EQ(refused_at("1e1000001"), 0u);
  EXPECT_EQ(refused_at("[1e-1000001]"), 1u);
  EXPECT_EQ(refused_at("1e" + std::string(100, '9')), 0u);
}

TEST(Scanner, JudgesStringsLetterByLetter) {
  EXPECT_TRUE(accepts(R"("\"\\\/\b\f\n\r\t\u0000\uabCD\uFFFF")"));
  EXPECT_TRUE(accepts(R"("\ud83d\ude00 \uDBFF\uDFFF")"));
  EXPECT_TRUE(accepts("\"\x7F \xC2\x80 \xF4\x8F\xBF\xBF\""));
  struct Case {
    std::string_view text;
    std::size_t offset;
  };
  for (const Case& c : std::initializer_list<Case>{{R"(")", 1},
                                                   {R"("a)", 2},
                                                   {R"("\)", 2},
                                                   {R"("\")", 3},
                                                   {R"("\q")", 2},
                                                   {R"("\'")", 2},
                                                   {R"("\U0041")", 2},
                                                   {R"("\u)", 3},
                                                   {R"("\u004")", 6},
                                                   {R"("\u00g0")", 5},
                                                   {R"("\ud800")", 1},
                                                   {R"("\udc00")", 1},
                                                   {R"("\ud800x")", 1},
                                                   {R"("\ud800\n")", 1},
                                                   {R"("\ud800\u0041")", 1},
                                                   {R"("\ud800\ud800")", 1},
                                                   {R"("\ud800\u")", 9},
                                                   {R"("a\udfff\ud800")", 2}}) {
    EXPECT_EQ(refused_at(c.text), c.offset) << c.text;
  }
  for (char c = 0; c < 0x20; ++c) {
    EXPECT_EQ(refused_at(std::string("\"ab") + c + "\""), 3u) << int{c};
  }
}

TEST(Scanner, FindsTheEndOfAStringWhereverItLies) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (std::size_t size = 0; size < 70; ++size) {
      const std::string blanks(before, ' ');
      std::string content;
      for (std::size_t i = 0; i < size; ++i) content += i % 2 == 0 ? '\xC3' : '\xA9';
      if (size % 2 == 1) content.back() = 'x';
      const std::string text = "\"" + content + "\"";
      EXPECT_EQ(taken(blanks + text), text);
      EXPECT_EQ(taken(blanks + "[" + text + ",1]"), "[" + text + ",1]");
      EXPECT_EQ(refused_at(blanks + text.substr(0, text.size() - 1)), before + text.size() - 1);
      if (size % 2 == 1) {
        std::string broken = blanks + text;
        broken[broken.size() - 2] = '\n';
        EXPECT_EQ(refused_at(broken), broken.size() - 2);
      }
    }
  }
}

TEST(Scanner, EveryBeginningOfAValueIsRefusedAtItsEnd) {
  const std::string text =
      R"({"a":[1.5e3,"b\u00e9\ud83d\ude00",true,false,null,{}],"c\n":{"d":[[]]},"e":-0})";
  ASSERT_TRUE(accepts(text));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto offset = refused_at(text.substr(0, size));
    ASSERT_TRUE(offset) << size;
    // Half a surrogate pair is told where it begins.
    if (text.substr(0, size).find("\\ud83d") == std::string::npos || *offset == size) {
      EXPECT_EQ(*offset, size);
    }
  }
}

TEST(Scanner, RefusesAKeyTwiceAfterUnescaping) {
  EXPECT_EQ(refused_at(R"({"a":1,"b":2,"a":3})"), 13u);
  EXPECT_EQ(refused_at(R"({"a":1,"\u0061":3})"), 7u);
  EXPECT_EQ(refused_at(R"({"\u0061":1,"a":3})"), 12u);
  EXPECT_EQ(refused_at(R"({"\/":1,"/":3})"), 8u);
  EXPECT_EQ(refused_at(R"({"":1,"":3})"), 6u);
  EXPECT_EQ(refused_at(R"([{"x":{"a":1,"a":2}}])"), 13u);
  EXPECT_EQ(refused_at(R"({"a":1,"b":1,"b":2,"a":3})"), 13u);
  EXPECT_TRUE(accepts(R"([{"a":1},{"a":2}])"));
  EXPECT_TRUE(accepts(R"({"a":{"a":{"a":1}},"b":{"a":1}})"));
  EXPECT_TRUE(accepts(R"({"a":1,"A":2,"aa":3,"":4})"));
}

TEST(Scanner, FindsTheFirstRepeatedKeyAmongAnyNumber) {
  for (const std::size_t count : {2, 3, 63, 64, 65, 66, 100, 1000, 10'000}) {
    for (const std::size_t of : {std::size_t{0}, count / 2, count - 2}) {
      std::string text = "{";
      std::vector<std::size_t> offsets;
      for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) text += ',';
        offsets.push_back(text.size());
        text += "\"key " + std::to_string(i) + "\":0";
      }
      EXPECT_TRUE(accepts(text + "}"));
      text += ',';
      const std::size_t repeated = text.size();
      text += "\"key " + std::to_string(of) + "\":0,\"key 0\":1}";
      EXPECT_EQ(refused_at(text), repeated) << count << " " << of;
    }
  }
}

TEST(Scanner, KeysThatDifferOnlyInTheMiddleAreDifferent) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) {
    text += (i > 0 ? ",\"" : "\"") + std::string("beginning") + std::to_string(1000 + i) +
            "endings\":0";
  }
  EXPECT_TRUE(accepts(text + "}"));
  EXPECT_FALSE(accepts(text + ",\"beginning1500endings\":0}"));
}

TEST(Scanner, NestingIsBounded) {
  EXPECT_EQ(taken("1", 0), "1");
  EXPECT_EQ(refused_at("[]", 0), 0u);
  EXPECT_EQ(refused_at("{}", 0), 0u);
  EXPECT_EQ(taken("[{}]", 2), "[{}]");
  EXPECT_EQ(refused_at("[1,{}]", 1), 3u);
  EXPECT_EQ(refused_at("{\"a\":[{\"b\":[]}]}", 3), 11u);
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(compact(nested(Scanner::deepest), UINT32_MAX));
  EXPECT_EQ(refused_at(nested(Scanner::deepest + 1), UINT32_MAX), Scanner::deepest);
  EXPECT_EQ(refused_at(std::string(1'000'000, '['), 64), 64u);
}

TEST(Scanner, AnErrorSaysWhatIsWrongAndWhere) {
  const auto result = compact(R"({"a":tru})", 64);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().detail, "'}' where the literal true is expected (at byte 8)");
  EXPECT_EQ(compact("[1,", 64).error().detail,
            "the text ends where a value is expected (at byte 3)");
}

TEST(CheckUtf8, TellsTheFirstOctetThatIsNotUtf8) {
  EXPECT_TRUE(check_utf8(""));
  EXPECT_TRUE(check_utf8("a\u00e9\u20ac\U0001F600"));
  for (const std::string_view bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE2\x82",
        "\xE2\x82(", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF0\x9F\x98",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
    for (std::size_t before = 0; before < 40; ++before) {
      for (const std::string_view letter : {"x", "\u00e9", "\u20ac", "\U0001F600"}) {
        std::string good;
        for (std::size_t i = 0; i < before; ++i) good += letter;
        for (const char* after : {"", "\"", "\u20ac\u20ac\u20ac\u20ac\u20ac", "\xFF"}) {
          const auto result = check_utf8(good + std::string(bad) + after);
          ASSERT_FALSE(result);
          EXPECT_EQ(result.error().offset, good.size());
        }
      }
    }
  }
  EXPECT_EQ(check_utf8(std::string(200'001, 'a') + "\xFF").error().offset, 200'001u);
}

// ---- against simdjson's parser, which is strict as well

bool simdjson_accepts(const std::string& text) {
  simdjson::dom::parser parser;
  const auto result = parser.parse(text);
  // A number too large for it is no fault of the text.
  return result.error() == simdjson::SUCCESS || result.error() == simdjson::NUMBER_ERROR;
}

TEST(Scanner, WhatItAcceptsSimdjsonAccepts) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  RandomJson random(seed);
  constexpr std::string_view octets = "{}[]\",:\\0123456789.-+eEtruefalsn \n\x01\xC3\xA9u/";
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = random.value(3);
    for (std::size_t changes = random.below(3); changes > 0; --changes) {
      const std::size_t at = random.below(text.size());
      const char c = octets[random.below(octets.size())];
      switch (random.below(3)) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.insert(at, 1, c);
          break;
        default:
          text.erase(at, text.size() > 1 ? 1 : 0);
      }
    }
    const auto result = compact(text, 64);
    if (!result) {
      ASSERT_TRUE(result.error().offset && *result.error().offset <= text.size()) << text;
      continue;
    }
    ++accepted;
    ASSERT_TRUE(simdjson_accepts(text)) << text;
    ASSERT_EQ(taken(*result), *result) << text;
    ASSERT_TRUE(equal(*result, random.respelt(*result))) << text;
  }
  EXPECT_GT(accepted, 5'000u);
}

}  // namespace
}  // namespace doctor::json
