#include <gtest/gtest.h>

#include "doctor/query/questions.hpp"

namespace doctor::query {
namespace {

// The keys of an answer: the long form's, those given with `as`, those that come more than once.
class KeysTest : public testing::Test, protected Questions {
 protected:
  KeysTest() {
    put("data_center", "{'id':'dc','name':'Default DC','version':'3.5'}");
    put("cluster", "{'id':'c1','name':'Default','version':'3.6','data_center':'dc'}");
    put("vm", "{'id':'v1','name':'vm1','status':'up','cluster':'c1'}");
  }
};

TEST_F(KeysTest, TheLongFormHasTheKeyOfTheShortFormWithTheSameParts) {
  put("user", "{'id':'u1','name':'Ada'}");
  put("vm", "{'id':'v1','owner':'u1','cluster':'c1','Display Name':'One'}");
  EXPECT_EQ(ask("vm",
                "{'select':[{'ref':'owner','collection':'user','select':['name']},"
                "{'ref':'cluster','select':'name'},{'field':'Display Name'},"
                "{'ref':'cluster','select':{'ref':'data_center','select':'name'}},"
                "{'ref':'cluster','collection':'cluster'}]}"),
            "[{'@owner:user':{'name':'Ada'},'@cluster.name':'Default','Display Name':'One',"
            "'@cluster.@data_center.name':'Default DC','@cluster:cluster':{'id':'c1',"
            "'name':'Default','version':'3.6','data_center':'dc'}}]");
  EXPECT_EQ(ask("cluster",
                "{'select':[{'many_ref':'vm','select':'id'},"
                "{'many_ref':'vm','field':'cluster','select':['id']},"
                "{'many_ref':'vm','select':[]}]}"),
            "[{'@[vm].id':['v1'],'@[vm:cluster]':[{'id':'v1'}],'@[vm]':[{}]}]");
  EXPECT_EQ(ask("user", "{'select':{'many_ref':'vm','field':'owner','select':'@cluster.name'}}"),
            "[{'@[vm:owner].@cluster.name':['Default']}]");
}

TEST_F(KeysTest, AsIsTheKeyInTheAnswer) {
  EXPECT_EQ(ask("vm",
                "{'select':[{'field':'name','as':'Name'},"
                "{'ref':'cluster','select':'name','as':'where it runs'},"
                "{'ref':'cluster','as':'c','select':['name']},"
                "{'ref':'cluster','select':{'field':'name','as':'n'}}]}"),
            "[{'Name':'vm1','where it runs':'Default','c':{'name':'Default'},"
            "'@cluster.n':'Default'}]");
  EXPECT_EQ(ask("cluster", "{'select':{'many_ref':'vm','as':'vms','select':'name'}}"),
            "[{'vms':['vm1']}]");
}

TEST_F(KeysTest, AsIsEscapedWhereItMustBe) {
  const std::string text = R"q({"select":{"field":"name","as":"a\"\\\u0001\u00e9"}})q";
  const auto query = Query::parse(text, "vm", false, limits);
  ASSERT_TRUE(query);
  std::string out;
  ASSERT_TRUE(list(view, "vm", *query, "", limits, out));
  EXPECT_EQ(out, "[{\"a\\\"\\\\\\u0001é\":\"vm1\"}]");
}

TEST_F(KeysTest, AsCannotNameAllFieldsAtOnce) {
  EXPECT_TRUE(ask("vm", "{'select':[{'ref':'cluster','select':'*','as':'c'}]}")
                  .starts_with("! select[0].as: "));
  EXPECT_TRUE(ask("vm",
                  "{'select':[{'ref':'cluster','select':{'ref':'data_center','as':'x','select':"
                  "'*'}}]}")
                  .starts_with("! select[0].select.as: "));
  EXPECT_EQ(ask("vm", "{'select':[{'ref':'cluster','select':['*'],'as':'c'}]}"),
            "[{'c':{'id':'c1','name':'Default','version':'3.6','data_center':'dc'}}]");
}

TEST_F(KeysTest, TheWaysToSelectOneReferenceDoNotDisturbEachOther) {
  EXPECT_EQ(ask("vm",
                "{'select':['@cluster.name','cluster','@cluster.version','@cluster(version)',"
                "'@cluster.@data_center.name','id','@cluster.@data_center(id)']}"),
            "[{'@cluster.name':'Default','cluster':'c1','@cluster.version':'3.6',"
            "'@cluster':{'version':'3.6'},'@cluster.@data_center.name':'Default DC','id':'v1',"
            "'@cluster.@data_center':{'id':'dc'}}]");
}

TEST_F(KeysTest, SelectorsWithTheSameKeyAreOneWithTheFieldsOfBoth) {
  EXPECT_EQ(ask("vm",
                "{'select':['id','@cluster(name)','id','name','@cluster(version,name)',"
                "'@cluster.name','@cluster.name']}"),
            "[{'id':'v1','@cluster':{'name':'Default','version':'3.6'},'name':'vm1',"
            "'@cluster.name':'Default'}]");
  EXPECT_EQ(ask("cluster",
                "{'select':['@[vm](id)','name','@[vm](name)','@[vm].@cluster(id)',"
                "'@[vm].@cluster(name)']}"),
            "[{'@[vm]':[{'id':'v1','name':'vm1'}],'name':'Default',"
            "'@[vm].@cluster':[{'id':'c1','name':'Default'}]}]");
  EXPECT_EQ(ask("vm", "{'select':['@cluster(@data_center(id))','@cluster(@data_center(name))']}"),
            "[{'@cluster':{'@data_center':{'id':'dc','name':'Default DC'}}}]");
  EXPECT_EQ(ask("vm", "{'select':['@cluster(name)','@cluster']}"),
            "[{'@cluster':{'name':'Default','id':'c1','version':'3.6','data_center':'dc'}}]");
  EXPECT_EQ(ask("vm", "{'select':['@cluster','@cluster(@data_center.name,name)']}"),
            "[{'@cluster':{'id':'c1','name':'Default','version':'3.6','data_center':'dc',"
            "'@data_center.name':'Default DC'}}]");
}

TEST_F(KeysTest, NoKeyComesTwice) {
  EXPECT_EQ(ask("vm", "{'select':['id','*','id']}"),
            "[{'id':'v1','name':'vm1','status':'up','cluster':'c1'}]");
  EXPECT_EQ(ask("vm", "{'select':['status','*','*']}"),
            "[{'status':'up','id':'v1','name':'vm1','cluster':'c1'}]");
  EXPECT_EQ(ask("vm", "{'select':['@cluster.version','@cluster.*','@cluster.name']}"),
            "[{'@cluster.version':'3.6','@cluster.id':'c1','@cluster.name':'Default',"
            "'@cluster.data_center':'dc'}]");
}

TEST_F(KeysTest, AnAsEqualToAFieldOfAllGivesWayToWhicheverComesFirst) {
  EXPECT_EQ(ask("vm", "{'select':[{'field':'name','as':'status'},'*']}"),
            "[{'status':'vm1','id':'v1','name':'vm1','cluster':'c1'}]");
  EXPECT_EQ(ask("vm", "{'select':['*',{'field':'name','as':'status'},{'field':'name','as':'n'}]}"),
            "[{'id':'v1','name':'vm1','status':'up','cluster':'c1','n':'vm1'}]");
  // What is not there takes no place.
  EXPECT_EQ(ask("vm", "{'select':[{'field':'absent','as':'status'},'*']}"),
            "[{'id':'v1','name':'vm1','status':'up','cluster':'c1'}]");
  EXPECT_EQ(ask("vm",
                "{'select':[{'ref':'cluster','select':['name'],'as':'@cluster.id'},"
                "'@cluster.*',{'field':'id','as':'@cluster.name'}]}"),
            "[{'@cluster.id':{'name':'Default'},'@cluster.name':'Default',"
            "'@cluster.version':'3.6','@cluster.data_center':'dc'}]");
}

TEST_F(KeysTest, ObjectsWithRepeatedKeysAreWrittenWellForEveryDocument) {
  for (int i = 2; i < 5; ++i) {
    put("vm", "{'id':'v" + std::to_string(i) + "','cluster':'c1','name':'x'}");
  }
  const std::string query =
      "{'select':[{'field':'name','as':'id'},'*','@cluster.@data_center(name)',"
      "'@cluster(@[vm].@cluster.@data_center.name)']}";
  EXPECT_EQ(
      ask("vm", query),
      "[{'id':'vm1','name':'vm1','status':'up','cluster':'c1','@cluster.@data_center':"
      "{'name':'Default DC'},'@cluster':{'@[vm].@cluster.@data_center.name':['Default DC',"
      "'Default DC','Default DC','Default DC']}},{'id':'x','cluster':'c1','name':'x',"
      "'@cluster.@data_center':{'name':'Default DC'},'@cluster':"
      "{'@[vm].@cluster.@data_center.name':['Default DC','Default DC','Default DC','Default "
      "DC']}},{'id':'x','cluster':'c1','name':'x','@cluster.@data_center':{'name':'Default DC'},"
      "'@cluster':{'@[vm].@cluster.@data_center.name':['Default DC','Default DC','Default DC',"
      "'Default DC']}},{'id':'x','cluster':'c1','name':'x','@cluster.@data_center':{'name':"
      "'Default DC'},'@cluster':{'@[vm].@cluster.@data_center.name':['Default DC','Default DC',"
      "'Default DC','Default DC']}}]");
}

TEST_F(KeysTest, AFieldMayBeNamedLikeTheStar) {
  put("x", "{'id':'1','*':2}");
  EXPECT_EQ(ask("x", "{'select':{'field':'*'}}"), "[{'*':2}]");
  EXPECT_EQ(ask("x", "{'select':['*',{'field':'*'}]}"), "[{'id':'1','*':2}]");
}

TEST_F(KeysTest, SelectorsWithTheSameKeyThatDifferAreRefused) {
  const auto refused = [this](std::string_view select, std::string_view key) {
    const std::string answer = ask("cluster", "{'select':" + std::string(select) + "}");
    EXPECT_TRUE(answer.starts_with("! select: ")) << answer;
    EXPECT_NE(answer.find("`" + std::string(key) + "`"), std::string::npos) << answer;
    EXPECT_NE(answer.find("`as`"), std::string::npos) << answer;
  };
  refused("['@[vm].name',{'many_ref':'vm','select':'name','limit':1}]", "@[vm].name");
  refused("['@[vm]',{'many_ref':'vm','skip':1}]", "@[vm]");
  refused("[{'many_ref':'vm','where':{'a':1}},{'many_ref':'vm','where':{'a':2}}]", "@[vm]");
  refused("[{'many_ref':'vm','orderBy':'a'},{'many_ref':'vm','orderBy':'-a'}]", "@[vm]");
  refused(
      "['@data_center(@[cluster](id))',{'ref':'data_center','select':[{'many_ref':'cluster',"
      "'limit':2}]}]",
      "@[cluster]");
  refused("[{'field':'a','as':'x'},{'field':'b','as':'x'}]", "x");
  refused("['name',{'field':'id','as':'name'}]", "name");
  refused("[{'ref':'a','as':'x'},{'ref':'b','as':'x'}]", "x");
  refused("[{'ref':'a','as':'x'},{'ref':'a','select':'b','as':'x'}]", "x");
}

TEST_F(KeysTest, SelectorsWithTheSameKeyAndTheSameRestAreOne) {
  put("vm", "{'id':'v2','cluster':'c1'}");
  EXPECT_EQ(ask("cluster",
                "{'select':[{'many_ref':'vm','limit':1,'where':{'a':null,'b':null},"
                "'select':['id']},{'many_ref':'vm','limit':'1','where':{'b':null,"
                "'a':null},'select':['name']}]}"),
            "[{'@[vm]':[{'id':'v1','name':'vm1'}]}]");
  EXPECT_EQ(ask("cluster",
                "{'select':['@[vm].id',{'many_ref':'vm','limit':1,'select':'id',"
                "'as':'first'}]}"),
            "[{'@[vm].id':['v1','v2'],'first':['v1']}]");
}

}  // namespace
}  // namespace doctor::query
