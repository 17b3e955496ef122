#include <gtest/gtest.h>

#include "doctor/query/questions.hpp"

namespace doctor::query {
namespace {

// What no document decides: the grammar of selectors and its errors.
class SelectorTest : public testing::Test, protected Questions {
 protected:
  SelectorTest() { put("vm", "{'id':'v1'}"); }
};

TEST_F(SelectorTest, WhatIsNoSelectorIsRefusedWithItsPlace) {
  const auto place = [this](std::string_view select) {
    const std::string answer = ask("vm", "{'select':" + std::string(select) + "}");
    return answer.substr(0, answer.find(": "));
  };
  EXPECT_EQ(place("1"), "! select");
  EXPECT_EQ(place("null"), "! select");
  EXPECT_EQ(place("['id',null]"), "! select[1]");
  EXPECT_EQ(place("['id',['a',[true]]]"), "! select[1][1][0]");
  EXPECT_EQ(place("['']"), "! select[0]");
  EXPECT_EQ(place("['a.b']"), "! select[0]");
  EXPECT_EQ(place("['a b']"), "! select[0]");
  EXPECT_EQ(place("['a,b']"), "! select[0]");
  EXPECT_EQ(place("['@']"), "! select[0]");
  EXPECT_EQ(place("['@a.']"), "! select[0]");
  EXPECT_EQ(place("['@a()']"), "! select[0]");
  EXPECT_EQ(place("['@a(b']"), "! select[0]");
  EXPECT_EQ(place("['@a(b,)']"), "! select[0]");
  EXPECT_EQ(place("['@a(b))']"), "! select[0]");
  EXPECT_EQ(place("['@a(b).c']"), "! select[0]");
  EXPECT_EQ(place("['@[a']"), "! select[0]");
  EXPECT_EQ(place("['@[a:]']"), "! select[0]");
  EXPECT_EQ(place("['@a:']"), "! select[0]");
  EXPECT_EQ(place("['@[]']"), "! select[0]");
  EXPECT_EQ(place("['**']"), "! select[0]");
  EXPECT_EQ(place("['@*']"), "! select[0]");
  EXPECT_EQ(place("[{}]"), "! select[0]");
  EXPECT_EQ(place("[{'as':'x'}]"), "! select[0]");
  EXPECT_EQ(place("[{'field':'x','select':'y'}]"), "! select[0].select");
  EXPECT_EQ(place("[{'field':1}]"), "! select[0].field");
  EXPECT_EQ(place("[{'field':''}]"), "! select[0].field");
  EXPECT_EQ(place("[{'field':'a','as':''}]"), "! select[0].as");
  EXPECT_EQ(place("[{'ref':'x','many_ref':'y'}]"), "! select[0].ref");
  EXPECT_EQ(place("[{'ref':'x','where':{}}]"), "! select[0].where");
  EXPECT_EQ(place("[{'ref':'x','limit':1}]"), "! select[0].limit");
  EXPECT_EQ(place("[{'ref':'x','select':null}]"), "! select[0].select");
  EXPECT_EQ(place("[{'many_ref':'x','collection':'y'}]"), "! select[0].collection");
  EXPECT_EQ(place("[{'many_ref':'x','count':true}]"), "! select[0].count");
  EXPECT_EQ(place("[{'many_ref':'x','limit':-1}]"), "! select[0].limit");
  EXPECT_EQ(place("[{'many_ref':'x','select':['a',{'ref':'b','select':7}]}]"),
            "! select[0].select[1].select");
}

TEST_F(SelectorTest, ANameThatCannotBeACollectionsIsRefused) {
  EXPECT_TRUE(ask("vm", "{'select':'@version/major.x'}").starts_with("! select: "));
  EXPECT_TRUE(ask("vm", "{'select':'@a:b/c'}").starts_with("! select: "));
  EXPECT_TRUE(ask("vm", "{'select':'@[a/b]'}").starts_with("! select: "));
  EXPECT_TRUE(ask("vm", "{'select':{'ref':'Display Name'}}").starts_with("! select.ref: "));
  EXPECT_TRUE(
      ask("vm", "{'select':{'ref':'a','collection':'b c'}}").starts_with("! select.collection: "));
  EXPECT_TRUE(ask("vm", "{'select':{'many_ref':'b c'}}").starts_with("! select.many_ref: "));
  EXPECT_EQ(ask("vm", "{'select':'@[x:version/major]'}"), "[{'@[x:version/major]':[]}]");
}

TEST_F(SelectorTest, ErrorsSayWhatWasFoundAndWhatIsExpected) {
  EXPECT_EQ(ask("vm", "{'select':['@cluster(name']}"),
            "! select[0]: `@cluster(name` ends where `,` or `)` is expected");
  EXPECT_EQ(ask("vm", "{'select':['@cluster.é)']}"),
            "! select[0]: `@cluster.é)` has `)` (byte 11) where the end (a name with blanks or "
            "marks in it is selected by {'field': ...}) is expected");
  EXPECT_EQ(ask("vm", "{'select':'@version/major'}"),
            "! select: `version/major` cannot be the name of a collection: name the collection "
            "behind it, `@field:collection`");
}

}  // namespace
}  // namespace doctor::query
