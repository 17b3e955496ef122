#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/document/document.hpp"

namespace doctor::document {
namespace {

using Names = std::vector<std::string>;

Document parsed(std::string_view text) {
  return parse_document(text, {}, Limits{}).value();
}

Result<Patch::Patched> patched(PatchKind kind, std::string_view document, std::string_view body,
                               const Limits& limits = {}) {
  const auto patch = Patch::parse(kind, body, limits);
  if (!patch) return patch.error();
  return patch->apply(parsed(document).view(), IdRule::document, limits);
}

// The document after a patch, and behind it the names of the fields that changed.
std::string after(PatchKind kind, std::string_view document, std::string_view body,
                  const Limits& limits = {}) {
  const auto result = patched(kind, document, body, limits);
  if (!result) {
    switch (result.error().code) {
      case Errc::invalid:
        return "400 " + result.error().field;
      case Errc::conflict:
        return "409";
      case Errc::too_large:
        return "413";
      default:
        return "another error";
    }
  }
  std::string told(result->document.view().text());
  for (const std::string& name : result->changed) told += " " + name;
  return told;
}

constexpr auto shallow = PatchKind::shallow;
constexpr auto merge = PatchKind::merge;
constexpr auto operations = PatchKind::json_patch;

TEST(Patch, APatchedFieldKeepsItsPlaceAndNewOnesComeLast) {
  EXPECT_EQ(after(shallow, R"({"a":1,"id":"1","b":2})", R"({ "c" : 3, "a" : 4 })"),
            R"({"a":4,"id":"1","b":2,"c":3} c a)");
}

TEST(Patch, ChangedFieldsComeInTheOrderOfTheRequestDroppedOnesLast) {
  EXPECT_EQ(after(shallow, R"({"id":"1","a":1,"b":2,"c":3,"d":4})",
                  R"({"d":null,"c":5,"b":null,"x":6,"a":1.0})"),
            R"({"id":"1","a":1.0,"c":5,"x":6} c x d b)");
  EXPECT_EQ(after(merge, R"({"id":"1","a":{"x":1,"y":2},"b":2})",
                  R"({"b":null,"a":{"y":null,"z":{"n":null}}})"),
            R"({"id":"1","a":{"x":1,"z":{}}} a b)");
  EXPECT_EQ(after(operations, R"({"id":"1","a":1,"b":{"x":2},"c":3})",
                  R"([{"op":"test","path":"/c","value":3},{"op":"move","from":"/a","path":"/d"},)"
                  R"({"op":"replace","path":"/b/x","value":4}])"),
            R"({"id":"1","b":{"x":4},"c":3,"d":1} d b a)");
}

TEST(Patch, WhatIsEqualInTheEndIsNotNamed) {
  EXPECT_EQ(
      after(operations, R"({"id":"1","a":1})",
            R"([{"op":"replace","path":"/a","value":2},{"op":"replace","path":"/a","value":1}])"),
      R"({"id":"1","a":1})");
  EXPECT_EQ(after(shallow, R"({"id":"1","a":"A"})", R"({"a":"\u0041"})"),
            R"({"id":"1","a":"\u0041"})");
  EXPECT_EQ(after(merge, R"({"id":"1","a":{"b":1}})", R"({"a":{"b":1.0,"c":null}})"),
            R"({"id":"1","a":{"b":1.0}})");
}

TEST(Patch, AnEmptyOneChangesNothing) {
  EXPECT_EQ(after(shallow, R"({"id":"1","a":1})", "{}"), R"({"id":"1","a":1})");
  EXPECT_EQ(after(merge, R"({"id":"1","a":1})", "{}"), R"({"id":"1","a":1})");
  EXPECT_EQ(after(operations, R"({"id":"1","a":1})", "[]"), R"({"id":"1","a":1})");
}

TEST(Patch, ItsFormIsJudgedWithoutADocument) {
  const auto refused = [](PatchKind kind, std::string_view body) {
    const auto patch = Patch::parse(kind, body, Limits{});
    return !patch && patch.error().code == Errc::invalid;
  };
  for (const PatchKind kind : {shallow, merge}) {
    for (const char* body : {"", "[]", "1", "null", "{\"a\":}", "{} {}", "{\"a\":1,\"a\":2}"}) {
      EXPECT_TRUE(refused(kind, body)) << body;
    }
  }
  for (const char* body :
       {"", "{}", "1", "[1]", "[{}]", R"([{"op":"add","path":"/a"}])",
        R"([{"op":"remove","path":"/a"},{"op":"move","from":"/a","path":"/a/b"}])"}) {
    EXPECT_TRUE(refused(operations, body)) << body;
  }
  EXPECT_EQ(Patch::parse(shallow, R"({"a":tru})", Limits{}).error().offset, 8u);
}

TEST(Patch, TheIdCannotBeChanged) {
  EXPECT_EQ(after(shallow, R"({"id":"1"})", R"({"id":"2"})"), "400 id");
  EXPECT_EQ(after(merge, R"({"id":"1"})", R"({"id":2})"), "400 id");
  EXPECT_EQ(after(operations, R"({"id":"1"})", R"([{"op":"replace","path":"/id","value":"2"}])"),
            "400 id");
  for (const PatchKind kind : {shallow, merge}) {
    EXPECT_EQ(after(kind, R"({"id":"1","a":1})", R"({"id":null})"), "400 id");
    EXPECT_EQ(after(kind, R"({"id":"1","a":1})", R"({"id":1,"a":2})"), R"({"id":"1","a":2} a)");
    EXPECT_EQ(after(kind, R"({"id":"1","a":1})", R"({"\u0069d":"\u0031"})"), R"({"id":"1","a":1})");
  }
}

TEST(Patch, AResultWithoutIdIsRefused) {
  EXPECT_EQ(after(operations, R"({"id":"1"})", R"([{"op":"remove","path":"/id"}])"), "400 id");
  EXPECT_EQ(after(operations, R"({"id":"1"})", R"([{"op":"replace","path":"","value":{"a":1}}])"),
            "400 id");
  EXPECT_EQ(after(operations, R"({"id":"1"})", R"([{"op":"replace","path":"","value":[1]}])"),
            "400 ");
  EXPECT_EQ(after(operations, R"({"id":"1","a":1})",
                  R"([{"op":"replace","path":"","value":{"b":2,"id":1}}])"),
            R"({"b":2,"id":"1"} b a)");
  EXPECT_EQ(
      after(operations, R"({"id":"1","a":1})",
            R"([{"op":"move","from":"/id","path":"/b"},{"op":"move","from":"/b","path":"/id"}])"),
      R"({"a":1,"id":"1"})");
}

TEST(Patch, TheResultIsCheckedAsInAPut) {
  EXPECT_EQ(after(shallow, R"({"id":"1"})", R"({"_x":1})"), "400 _x");
  EXPECT_EQ(after(merge, R"({"id":"1"})", R"({"a.b":1})"), "400 a.b");
  EXPECT_EQ(after(operations, R"({"id":"1"})", R"([{"op":"add","path":"/$x","value":1}])"),
            "400 $x");
  const Limits limits{.document_size = 20, .document_fields = 3};
  EXPECT_EQ(after(shallow, R"({"id":"1","a":1})", R"({"a":12345})", limits),
            R"({"id":"1","a":12345} a)");
  EXPECT_EQ(after(shallow, R"({"id":"1","a":1})", R"({"a":123456})", limits), "413");
  EXPECT_EQ(after(merge, R"({"id":"1","a":1})", R"({"b":1,"c":1})", limits), "400 ");
}

TEST(Patch, RemovingAFieldThatCannotExistChangesNothing) {
  EXPECT_EQ(after(shallow, R"({"id":"1"})", R"({"_x":null,"a.b":null,"":null,"y":null})"),
            R"({"id":"1"})");
  EXPECT_EQ(after(merge, R"({"id":"1"})", R"({"$":null})"), R"({"id":"1"})");
}

TEST(Patch, ShallowSetsNullsInsideAsTheyAre) {
  EXPECT_EQ(after(shallow, R"({"id":"1","a":{"x":1}})", R"({"a":{"y":null}})"),
            R"({"id":"1","a":{"y":null}} a)");
}

TEST(Patch, ANewFieldIsStoredInItsMinimalSpelling) {
  EXPECT_EQ(after(shallow, R"({"id":"1"})", R"({"\u0061\u0022":1})"), R"({"id":"1","a\"":1} a")");
  EXPECT_EQ(after(operations, R"({"id":"1"})", R"([{"op":"add","path":"/a~1\u0022","value":1}])"),
            R"({"id":"1","a/\"":1} a/")");
}

TEST(Patch, NestingIsCounted) {
  const Limits limits{.nesting = 3};
  EXPECT_EQ(after(shallow, R"({"id":"1"})", R"({"a":[[]]})", limits), R"({"id":"1","a":[[]]} a)");
  EXPECT_EQ(after(shallow, R"({"id":"1"})", R"({"a":[[[]]]})", limits), "400 ");
  EXPECT_EQ(
      after(operations, R"({"id":"1"})", R"([{"op":"add","path":"/a","value":[[]]}])", limits),
      R"({"id":"1","a":[[]]} a)");
  EXPECT_EQ(after(operations, R"({"id":"1"})",
                  R"([{"op":"add","path":"","value":{"id":"1","a":[[]]}}])", limits),
            R"({"id":"1","a":[[]]} a)");
  EXPECT_EQ(
      after(operations, R"({"id":"1"})", R"([{"op":"add","path":"/a","value":[[[]]]}])", limits),
      "400 ");
}

TEST(Patch, AResultIsADocumentLikeAnyOther) {
  const auto result =
      patched(shallow, R"({"id":"1","a":1})", R"({"b":[1,{"c":"}"}],"a":null})").value();
  EXPECT_TRUE(verify(result.document.stored()));
  EXPECT_EQ(result.document.view().find(FieldName("b")), R"([1,{"c":"}"}])");
}

}  // namespace
}  // namespace doctor::document
