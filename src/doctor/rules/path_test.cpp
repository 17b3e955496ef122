#include "doctor/rules/path.hpp"

#include <gtest/gtest.h>

namespace doctor::rules {
namespace {

const events::EventId status{{"host1", "virt", "VM_status", "u1"}};

std::string filled(std::string_view text, const events::EventId& event = status) {
  return Template::parse(text).value().fill(event).value_or("nothing");
}

std::string found(std::string_view path, std::string_view value,
                  const events::EventId& event = status) {
  return std::string(
      Path::parse_below("params", path).value().find(value, event).value_or("nothing"));
}

TEST(Template, SpeaksOfThePartsOfAnEvent) {
  EXPECT_EQ(filled("{unique_id}"), "u1");
  EXPECT_EQ(filled("{receiver}"), "host1");
  EXPECT_EQ(filled("{component}/{operation} of {unique_id}!"), "virt/VM_status of u1!");
  EXPECT_EQ(filled("all"), "all");
}

TEST(Template, ComesToNothingIfAPartIsEmpty) {
  EXPECT_EQ(filled("{receiver}:{unique_id}", {{"", "virt", "VM_status", "u1"}}), "nothing");
  EXPECT_EQ(filled("{unique_id}", {{"", "virt", "VM_status", ""}}), "nothing");
}

TEST(Template, IsRefusedWithTheReason) {
  for (const auto& [text, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "there is no text"},
           {"{unique_id", "a brace has no fellow"},
           {"unique_id}", "a brace has no fellow"},
           {"{}", "there is no {}"},
           {"{host}", "there is no {host}"},
           {"{{receiver}}", "there is no {{receiver}"}}) {
    const auto parsed = Template::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().detail, why);
  }
}

TEST(Path, LeadsThroughMembersAndElements) {
  const std::string_view value = R"({"u1":{"a":[{"b":1},{"b":"x"}]},"n":null})";
  EXPECT_EQ(found("params", value), value);
  EXPECT_EQ(found("params.{unique_id}.a", value), R"([{"b":1},{"b":"x"}])");
  EXPECT_EQ(found("params.u1.a.1.b", value), R"("x")");
  EXPECT_EQ(found("params.n", value), "null");
  for (const char* nowhere : {"params.u2", "params.u1.a.2", "params.u1.a.01", "params.u1.a.b",
                              "params.n.x", "params.u1.a.99999999999999999999"}) {
    EXPECT_EQ(found(nowhere, value), "nothing") << nowhere;
  }
}

TEST(Path, MeansANameInWhateverSpelling) {
  EXPECT_EQ(found("params.ä.{unique_id}", R"({"\u00e4":{"\u00751":7}})"), "7");
}

TEST(Path, ADotInWhatFillsAStepDividesNothing) {
  const events::EventId event{{"10.0.0.1", "virt", "x", "a.b"}};
  EXPECT_EQ(found("params.{unique_id}", R"({"a":{"b":1},"a.b":2})", event), "2");
  EXPECT_EQ(found("params.h-{receiver}", R"({"h-10.0.0.1":3})", event), "3");
}

TEST(Path, IsRefusedWithTheReason) {
  EXPECT_EQ(Path::parse("").error().detail, "there is no text");
  EXPECT_EQ(Path::parse("a..b").error().detail, "there is no text");
  EXPECT_EQ(Path::parse("a.b.").error().detail, "there is no text");
  EXPECT_EQ(Path::parse_below("params", "paramsx").error().detail, "it does not begin with params");
  EXPECT_EQ(Path::parse_below("params", "result.x").error().detail,
            "it does not begin with params");
  EXPECT_EQ(Path::parse_below("params", "").error().detail, "it does not begin with params");
  EXPECT_EQ(Path::parse_below("params", "params.{x}").error().detail, "there is no {x}");
}

}  // namespace
}  // namespace doctor::rules
