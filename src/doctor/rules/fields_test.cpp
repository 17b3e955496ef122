#include "doctor/rules/fields.hpp"

#include <string>

#include <gtest/gtest.h>

#include "doctor/json/random_json.hpp"
#include "doctor/json/scanner.hpp"

namespace doctor::rules {
namespace {

TEST(Fields, AreAllUnlessSomeAreNamed) {
  constexpr std::string_view object = R"({"a":1,"b":{"c":[2]},"c":null})";
  EXPECT_EQ(Fields{}.choose(object), object);
  EXPECT_EQ((Fields{{"c", "a", "z"}}.choose(object)), R"({"a":1,"c":null})");
  EXPECT_EQ((Fields{{"z"}}.choose(object)), "{}");
  EXPECT_EQ(Fields{}.choose("{}"), "{}");
}

TEST(Fields, CanBeLeftOut) {
  constexpr std::string_view object = R"({"a":1,"b":2,"c":3})";
  EXPECT_EQ((Fields{{}, {"b"}}.choose(object)), R"({"a":1,"c":3})");
  EXPECT_EQ((Fields{{"a", "b"}, {"b"}}.choose(object)), R"({"a":1})");
}

TEST(Fields, AreRenamedByTheNameThatTheyCameWith) {
  constexpr std::string_view object = R"({"a":1,"b":2,"c":3})";
  EXPECT_EQ((Fields{{}, {}, {{"a", "b"}, {"b", "a"}}}.choose(object)), R"({"b":1,"a":2,"c":3})");
  EXPECT_EQ((Fields{{"a"}, {}, {{"a", "x \"y\""}}}.choose(object)), R"({"x \"y\"":1})");
}

TEST(Fields, AreMeantInWhateverSpelling) {
  EXPECT_EQ((Fields{{"ä"}, {}, {{"ä", "ö"}}}.choose(R"({"\u00e4":1,"o":2})")), R"({"ö":1})");
}

// Whatever the object: what is chosen is JSON with just those members, in their order.
TEST(Fields, OfRandomObjectsAreThoseThatWereAskedFor) {
  const std::uint64_t seed = json::test_seed();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  json::RandomJson random(seed);
  for (int round = 0; round < json::test_runs(2'000); ++round) {
    const std::string object = random.object(3);
    Fields fields;
    std::string expected = "{";
    for (const json::Member& member : json::Members(object)) {
      const std::string name = json::unescape(member.name);
      const bool is_wanted = random.below(2) == 0;
      const bool is_left_out = random.below(3) == 0;
      if (is_wanted) fields.only.insert(name);
      if (is_left_out) fields.leave_out.insert(name);
      const std::string renamed = random.below(2) == 0 ? name : "new " + name;
      if (renamed != name) fields.rename.emplace(name, renamed);
      if (!is_wanted || is_left_out) continue;
      expected += (expected.size() > 1 ? "," : "") + json::quoted(renamed) + ":" +
                  std::string(member.value);
    }
    fields.only.insert("so that it is not empty");
    const std::string chosen = fields.choose(object);
    EXPECT_EQ(chosen, expected + "}");
    EXPECT_TRUE(json::compact(chosen, 64)) << chosen;
  }
}

}  // namespace
}  // namespace doctor::rules
