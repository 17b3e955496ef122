#include <gtest/gtest.h>

#include "doctor/query/questions.hpp"

namespace doctor::query {
namespace {

class RefinedTest : public testing::Test, protected Questions {
 protected:
  RefinedTest() {
    put("cluster", "{'id':'c1'}");
    put("cluster", "{'id':'c2'}");
    put("cluster", "{'id':'c3','vm':['v5','v1','v2']}");
    put("vm", "{'id':'v1','cluster':'c1','n':3}");
    put("vm", "{'id':'v2','cluster':'c2','n':3}");
    put("vm", "{'id':'v3','cluster':'c1','n':1}");
    put("vm", "{'id':'v4','cluster':'c1','n':2}");
    put("vm", "{'id':'v5','cluster':'c2','n':3}");
  }
  std::string many(std::string_view rest) {
    return ask("cluster",
               "{'select':{'many_ref':'vm','select':'id','as':'vm'," + std::string(rest) + "}}");
  }
};

TEST_F(RefinedTest, LimitAndSkipCountForEachParent) {
  EXPECT_EQ(many("'limit':2"), "[{'vm':['v1','v3']},{'vm':['v2','v5']},{'vm':['v5','v1']}]");
  EXPECT_EQ(many("'skip':1"), "[{'vm':['v3','v4']},{'vm':['v5']},{'vm':['v1','v2']}]");
  EXPECT_EQ(many("'skip':'1','limit':'1'"), "[{'vm':['v3']},{'vm':['v5']},{'vm':['v1']}]");
  EXPECT_EQ(many("'skip':9223372036854775807,'limit':9223372036854775807"),
            "[{'vm':[]},{'vm':[]},{'vm':[]}]");
  EXPECT_EQ(many("'limit':0"),
            "[{'vm':['v1','v3','v4']},{'vm':['v2','v5']},{'vm':['v5','v1','v2']}]");
}

TEST_F(RefinedTest, AConditionIsJoinedToTheLinkByAnd) {
  EXPECT_EQ(many("'where':{'n':{'$gte':2}}"),
            "[{'vm':['v1','v4']},{'vm':['v2','v5']},{'vm':['v5','v1','v2']}]");
  EXPECT_EQ(many("'where':{'n':{'$gte':2}},'limit':1,'skip':1"),
            "[{'vm':['v4']},{'vm':['v5']},{'vm':['v1']}]");
  EXPECT_EQ(many("'where':{'@cluster.id':'c2'}"),
            "[{'vm':[]},{'vm':['v2','v5']},{'vm':['v5','v2']}]");
}

TEST_F(RefinedTest, TiesOfAnOrderStayInCreationOrderOrThatOfTheList) {
  EXPECT_EQ(many("'orderBy':'n'"),
            "[{'vm':['v3','v4','v1']},{'vm':['v2','v5']},{'vm':['v5','v1','v2']}]");
  EXPECT_EQ(many("'orderBy':'-n','limit':2"),
            "[{'vm':['v1','v4']},{'vm':['v2','v5']},{'vm':['v5','v1']}]");
  EXPECT_EQ(many("'orderBy':['n','-id'],'limit':1,'skip':1"),
            "[{'vm':['v4']},{'vm':['v2']},{'vm':['v2']}]");
}

}  // namespace
}  // namespace doctor::query
