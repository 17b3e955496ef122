#include <gtest/gtest.h>

#include "doctor/query/questions.hpp"

namespace doctor::query {
namespace {

// The documents of the first Doctor's README.
class SelectTest : public testing::Test, protected Questions {
 protected:
  SelectTest() {
    put("data_center", "{'id':'dc','name':'Default DC','version':'3.5'}");
    put("cluster", "{'id':'c1','name':'Default','version':'3.6','data_center':'dc'}");
    put("vm", "{'id':'v1','name':'vm1','status':'up','cluster':'c1'}");
  }
};

TEST_F(SelectTest, NoQueryIsWholeDocumentsInCreationOrder) {
  put("vm", "{'id':'v0','name':'vm0'}");
  const std::string all =
      "[{'id':'v1','name':'vm1','status':'up','cluster':'c1'},{'id':'v0','name':'vm0'}]";
  EXPECT_EQ(ask("vm", ""), all);
  EXPECT_EQ(ask("vm", " null "), all);
  EXPECT_EQ(ask("vm", "{}"), all);
  EXPECT_EQ(ask("vm", "{'select':'*'}"), all);
}

TEST_F(SelectTest, PlainFieldsComeInTheOrderOfTheSelect) {
  EXPECT_EQ(ask("vm", "{'select':['status','id','absent']}"), "[{'status':'up','id':'v1'}]");
  EXPECT_EQ(ask("vm", "{'select':'name'}"), "[{'name':'vm1'}]");
  EXPECT_EQ(ask("vm", "{'select':[]}"), "[{}]");
  EXPECT_EQ(ask("vm", "{'select':[['id',[]],['name']]}"), "[{'id':'v1','name':'vm1'}]");
}

TEST_F(SelectTest, FieldsOfReferencedDocumentsAreNamedByTheirPath) {
  EXPECT_EQ(ask("vm", "{'select':['id','name','@cluster.name','@cluster.@data_center.name']}"),
            "[{'id':'v1','name':'vm1','@cluster.name':'Default',"
            "'@cluster.@data_center.name':'Default DC'}]");
  EXPECT_EQ(ask_one("vm", "v1", "{'select':['*','@cluster.name']}"),
            "{'id':'v1','name':'vm1','status':'up','cluster':'c1','@cluster.name':'Default'}");
}

TEST_F(SelectTest, AReferenceAloneEmbedsTheWholeDocument) {
  EXPECT_EQ(ask("vm", "{'select':['name','status','@cluster']}"),
            "[{'name':'vm1','status':'up','@cluster':{'id':'c1','name':'Default',"
            "'version':'3.6','data_center':'dc'}}]");
}

TEST_F(SelectTest, BracketsEmbedWhatTheyName) {
  EXPECT_EQ(ask("vm", "{'select':['name','status','@cluster(name, @data_center.name)']}"),
            "[{'name':'vm1','status':'up','@cluster':{'name':'Default',"
            "'@data_center.name':'Default DC'}}]");
}

TEST_F(SelectTest, ManyAreThoseThatReferHere) {
  EXPECT_EQ(ask("cluster", "{'select':['name','version','@[vm]']}"),
            "[{'name':'Default','version':'3.6','@[vm]':[{'id':'v1','name':'vm1',"
            "'status':'up','cluster':'c1'}]}]");
  EXPECT_EQ(ask("cluster", "{'select':['name','version','@[vm](name, status)']}"),
            "[{'name':'Default','version':'3.6','@[vm]':[{'name':'vm1','status':'up'}]}]");
  EXPECT_EQ(ask("cluster", "{'select':['name','version','@[vm].name']}"),
            "[{'name':'Default','version':'3.6','@[vm].name':['vm1']}]");
}

TEST_F(SelectTest, TheNestedExampleOfTheFirstDoctor) {
  put("disk", "{'id':1,'name':'My Disk 1','size':1024,'vm':'v1'}");
  put("disk", "{'id':2,'name':'My Disk 2','size':2048,'vm':'v1'}");
  EXPECT_EQ(ask("data_center",
                "{'select':['*','@[cluster](name, version, @[vm](name, status, @[disk].name))']}"),
            "[{'id':'dc','name':'Default DC','version':'3.5','@[cluster]':[{'name':'Default',"
            "'version':'3.6','@[vm]':[{'name':'vm1','status':'up',"
            "'@[disk].name':['My Disk 1','My Disk 2']}]}]}]");
}

}  // namespace
}  // namespace doctor::query
