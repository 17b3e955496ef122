#include "doctor/query/glob.hpp"

#include <string>

#include <gtest/gtest.h>

#include "doctor/json/value.hpp"

namespace doctor::query {
namespace {

bool glob(std::string_view pattern, std::string_view text) {
  Glob::Scratch scratch;
  const std::string quoted = json::quoted(text);
  return Glob(pattern).matches(json::content(quoted), scratch);
}

TEST(Glob, IsAnchoredAtBothEnds) {
  EXPECT_TRUE(glob("abc", "abc"));
  EXPECT_FALSE(glob("abc", "xabc"));
  EXPECT_FALSE(glob("abc", "abcx"));
  EXPECT_FALSE(glob("abc", "ab"));
  EXPECT_TRUE(glob("", ""));
  EXPECT_FALSE(glob("", "a"));
}

TEST(Glob, AStarTakesAnyNumberOfCharacters) {
  EXPECT_TRUE(glob("*", ""));
  EXPECT_TRUE(glob("*", "any\nlines\0too"));
  EXPECT_TRUE(glob("Def*", "Default"));
  EXPECT_TRUE(glob("*fault", "Default"));
  EXPECT_TRUE(glob("d*f*t", "Default"));
  EXPECT_TRUE(glob("a**b", "ab"));
  EXPECT_TRUE(glob("*ab", "aab"));
  EXPECT_TRUE(glob("*ab*ab", "ababab"));
  EXPECT_FALSE(glob("a*b*c", "acb"));
  EXPECT_FALSE(glob("*a", "b"));
}

TEST(Glob, AQuestionMarkTakesOneCharacter) {
  EXPECT_TRUE(glob("?", "é"));
  EXPECT_TRUE(glob("?", "😀"));
  EXPECT_TRUE(glob("?*", "a"));
  EXPECT_FALSE(glob("?", ""));
  EXPECT_FALSE(glob("??", "😀"));
}

TEST(Glob, ASetTakesOneOfItsCharacters) {
  EXPECT_TRUE(glob("[a-c]x", "bX"));
  EXPECT_FALSE(glob("[a-c]", "d"));
  EXPECT_TRUE(glob("[abx-z]", "y"));
  EXPECT_TRUE(glob("[-a]", "-"));
  EXPECT_TRUE(glob("[a-]", "-"));
  EXPECT_TRUE(glob("[a\\-c]", "-"));
  EXPECT_FALSE(glob("[a\\-c]", "b"));
  EXPECT_TRUE(glob("[\\]]", "]"));
  EXPECT_TRUE(glob("[*?{]", "*"));
  EXPECT_FALSE(glob("[*?{]", "x"));
  EXPECT_FALSE(glob("[c-a]", "b"));
  EXPECT_TRUE(glob("[^a]", "^"));
}

TEST(Glob, ASetMayBeNegated) {
  EXPECT_TRUE(glob("[!x]", "y"));
  EXPECT_FALSE(glob("[!x]", "X"));
  EXPECT_FALSE(glob("[!a-c]", "B"));
  EXPECT_TRUE(glob("[a!]", "!"));
  EXPECT_FALSE(glob("[!x]", ""));
}

TEST(Glob, AnEmptySetTakesNothingAndItsNegationAnything) {
  EXPECT_FALSE(glob("[]", ""));
  EXPECT_FALSE(glob("[]", "x"));
  EXPECT_FALSE(glob("[]x]", "x]"));
  EXPECT_TRUE(glob("[!]", "x"));
  EXPECT_FALSE(glob("[!]", ""));
  EXPECT_TRUE(glob("[!]x]", "ax]"));
}

TEST(Glob, BracesTakeEither) {
  EXPECT_TRUE(glob("{up,down}", "down"));
  EXPECT_TRUE(glob("{up,down}", "UP"));
  EXPECT_FALSE(glob("{up,down}", "updown"));
  EXPECT_TRUE(glob("x{a,}y", "xy"));
  EXPECT_TRUE(glob("{a}", "a"));
  EXPECT_TRUE(glob("{}", ""));
  EXPECT_TRUE(glob("{a*,*b}*c", "abxc"));
  EXPECT_TRUE(glob("{*,a}{b,*}", "anything"));
  EXPECT_TRUE(glob("{,a}{,b}", "b"));
}

TEST(Glob, BracesNest) {
  EXPECT_TRUE(glob("{a,b{c,d}}", "bd"));
  EXPECT_FALSE(glob("{a,b{c,d}}", "b"));
  EXPECT_TRUE(glob("{{{{x}}}}", "x"));
  EXPECT_TRUE(glob("*{b,{c,é}}", "aÉ"));
  EXPECT_TRUE(glob("{[,}],x}", "}"));
}

TEST(Glob, ABackslashTakesTheNextLiterally) {
  EXPECT_TRUE(glob("a\\*", "a*"));
  EXPECT_FALSE(glob("a\\*", "ab"));
  EXPECT_TRUE(glob("\\{a,b\\}", "{a,b}"));
  EXPECT_TRUE(glob("{a\\,b,c}", "a,b"));
  EXPECT_TRUE(glob("\\a", "A"));
  EXPECT_TRUE(glob("\\\\", "\\"));
  EXPECT_TRUE(glob("*\\", "x\\"));
  EXPECT_TRUE(glob("\\é", "É"));
}

TEST(Glob, AnUnbalancedBracketIsItself) {
  EXPECT_TRUE(glob("[x", "[X"));
  EXPECT_TRUE(glob("[!", "[!"));
  EXPECT_TRUE(glob("{a", "{a"));
  EXPECT_TRUE(glob("a]}", "a]}"));
  EXPECT_TRUE(glob("{a{b,c}", "{ab"));
  EXPECT_TRUE(glob("{a,b", "{a,b"));
  EXPECT_TRUE(glob("[\\]", "[]"));
  EXPECT_TRUE(glob("a,b", "a,b"));
  EXPECT_TRUE(glob("{[a,b}]", "{}"));
}

TEST(Glob, CaseDoesNotMatterInAnyScript) {
  EXPECT_TRUE(glob("straße*", "STRAẞE 1"));
  EXPECT_TRUE(glob("σς*", "ΣΣ"));
  EXPECT_TRUE(glob("ПРИВЕТ", "привет"));
  EXPECT_TRUE(glob("[k]", "\u212A"));  // the sign for kelvin
  EXPECT_TRUE(glob("\u212A", "K"));
  EXPECT_TRUE(glob("[ſ]", "S"));
  EXPECT_TRUE(glob("[α-ω]", "Σ"));
  EXPECT_FALSE(glob("[!α-ω]", "Σ"));
  EXPECT_TRUE(glob("𐐀", "𐐨"));
  EXPECT_FALSE(glob("ß", "ss"));  // simple folding: one character stays one
  EXPECT_FALSE(glob("i", "İ"));
  EXPECT_FALSE(glob("i", "ı"));
}

TEST(Glob, EscapesOfTheStoredTextDoNotMatter) {
  Glob::Scratch scratch;
  EXPECT_TRUE(Glob("Aé😀\n*").matches(R"(\u0061\u00C9\ud83d\ude00\nrest\/)", scratch));
  EXPECT_TRUE(Glob("{\",x}?").matches(R"(\"\\)", scratch));
}

TEST(Glob, IsAPatternIfItHasAMarkForOne) {
  EXPECT_TRUE(Glob::is_pattern("a*"));
  EXPECT_TRUE(Glob::is_pattern("?"));
  EXPECT_TRUE(Glob::is_pattern("["));
  EXPECT_TRUE(Glob::is_pattern("{"));
  EXPECT_FALSE(Glob::is_pattern("a]}\\,!-"));
}

TEST(Glob, TimeAndMemoryStayBoundedWhateverThePattern) {
  const std::string text(2'000, 'a');
  std::string stars;
  std::string braces;
  std::string nested;
  for (int i = 0; i < 500; ++i) {
    stars += "*a";
    braces += "{a,aa,*}";
    nested += '{';
  }
  EXPECT_FALSE(glob(stars + "b", text));
  EXPECT_TRUE(glob(stars, text));
  EXPECT_FALSE(glob(braces + "b", text));
  EXPECT_TRUE(glob(braces, text));
  EXPECT_TRUE(glob(nested + "a" + std::string(500, '}') + "*", text));
  EXPECT_FALSE(glob(std::string(1 << 20, '{'), text));
  EXPECT_FALSE(glob(std::string(1 << 20, '['), text));
  EXPECT_TRUE(glob(std::string(1 << 20, '*'), text));
}

}  // namespace
}  // namespace doctor::query
