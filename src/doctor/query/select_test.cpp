#include <algorithm>

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

TEST_F(SelectTest, BlanksAreAllowedAroundNamesCommasAndBrackets) {
  EXPECT_EQ(ask("vm", "{'select':' @ cluster . @ data_center ( id ,\\tname ) '}"),
            "[{'@cluster.@data_center':{'id':'dc','name':'Default DC'}}]");
  EXPECT_EQ(ask("cluster", "{'select':'@[ vm : cluster ] . name'}"),
            "[{'@[vm:cluster].name':['vm1']}]");
}

TEST_F(SelectTest, ACollectionMayHaveAnotherNameThanTheField) {
  put("user", "{'id':'u1','name':'Ada'}");
  put("vm", "{'id':'v2','owner':'u1'}");
  EXPECT_EQ(ask("vm", "{'select':['id','@owner:user.name']}"),
            "[{'id':'v1'},{'id':'v2','@owner:user.name':'Ada'}]");
}

TEST_F(SelectTest, AFieldNameIsAnyRunOfOtherCharacters) {
  put("vm", "{'id':'v2','version/major':3,'žluť-1':true,'version/minor':'c1'}");
  EXPECT_EQ(ask("vm", "{'select':['version/major','žluť-1','@version/minor:cluster.name']}"),
            "[{},{'version/major':3,'žluť-1':true,'@version/minor:cluster.name':'Default'}]");
}

TEST_F(SelectTest, AnIdMayBeAStringOrAnInteger) {
  put("disk", "{'id':7,'name':'seven','vm':'v1'}");
  put("disk", "{'id':-0,'name':'zero'}");
  put("vm", "{'id':'v2','disk':7}");
  put("vm", "{'id':'v3','disk':'7'}");
  put("vm", "{'id':'v4','disk':-0}");
  put("vm", "{'id':'v5','disk':7.0}");
  put("vm", "{'id':'v6','disk':70e-1}");
  put("vm", "{'id':'v7','disk':'\\u0037'}");
  EXPECT_EQ(ask("vm", "{'select':['id','@disk.name']}"),
            "[{'id':'v1'},{'id':'v2','@disk.name':'seven'},{'id':'v3','@disk.name':'seven'},"
            "{'id':'v4','@disk.name':'zero'},{'id':'v5'},{'id':'v6'},"
            "{'id':'v7','@disk.name':'seven'}]");
}

TEST_F(SelectTest, AReferenceThatLeadsNowhereIsLeftOutWithAllOfItsPath) {
  put("vm", "{'id':'null','cluster':null}");
  put("vm", "{'id':'absent'}");
  put("vm", "{'id':'array','cluster':['c1']}");
  put("vm", "{'id':'object','cluster':{'id':'c1'}}");
  put("vm", "{'id':'boolean','cluster':true}");
  put("vm", "{'id':'dangling','cluster':'c9'}");
  put("vm", "{'id':'empty','cluster':''}");
  view.remove("vm", "v1");
  const std::string bare =
      "[{'id':'null'},{'id':'absent'},{'id':'array'},{'id':'object'},{'id':'boolean'},"
      "{'id':'dangling'},{'id':'empty'}]";
  EXPECT_EQ(ask("vm", "{'select':['id','@cluster']}"), bare);
  EXPECT_EQ(ask("vm", "{'select':['id','@cluster(name)','@cluster.*']}"), bare);
  EXPECT_EQ(ask("vm", "{'select':['id','@cluster.@[vm]','@cluster.@data_center.name']}"), bare);
  EXPECT_EQ(ask("vm", "{'select':['id','@nothing.@[vm].name']}"), bare);
}

TEST_F(SelectTest, CyclesAreFollowedAsFarAsAsked) {
  put("node", "{'id':'a','node':'b'}");
  put("node", "{'id':'b','node':'a'}");
  EXPECT_EQ(ask_one("node", "a", "{'select':['@node.@node.id','@node(@node(@node(id)))']}"),
            "{'@node.@node.id':'a','@node':{'@node':{'@node':{'id':'b'}}}}");
}

TEST_F(SelectTest, AnArrayNamedLikeTheCollectionListsItsDocuments) {
  put("disk", "{'id':'d1','name':'one','vm':'v2'}");
  put("disk", "{'id':2,'name':'two'}");
  put("disk", "{'id':'d3'}");
  put("vm", "{'id':'v2','disk':['d3','2','gone','d1',2,'d3',null,1.5,['d1'],{}]}");
  EXPECT_EQ(ask_one("vm", "v2", "{'select':['@[disk].id','@[disk].name']}"),
            "{'@[disk].id':['d3','2','d1'],'@[disk].name':['two','one']}");
  put("vm", "{'id':'v2','disk':[]}");
  EXPECT_EQ(ask_one("vm", "v2", "{'select':'@[disk]'}"), "{'@[disk]':[]}");
  // Not an array: those that refer here.
  put("vm", "{'id':'v2','disk':'d3'}");
  EXPECT_EQ(ask_one("vm", "v2", "{'select':'@[disk].id'}"), "{'@[disk].id':['d1']}");
}

TEST_F(SelectTest, ALongListNamesEachDocumentOnceToo) {
  std::string listed = "'0'";
  for (int i = 0; i < 100; ++i) {
    put("disk", "{'id':" + std::to_string(i) + "}");
    listed += "," + std::to_string(i) + ",'" + std::to_string(i) + "'";
  }
  put("vm", "{'id':'v2','disk':[" + listed + "]}");
  const std::string answer = ask_one("vm", "v2", "{'select':'@[disk].id'}");
  EXPECT_TRUE(answer.starts_with("{'@[disk].id':['0','1','2','3',")) << answer;
  EXPECT_TRUE(answer.ends_with(",'98','99']}")) << answer;
  EXPECT_EQ(std::count(answer.begin(), answer.end(), ','), 99);
}

TEST_F(SelectTest, AFieldOfAnotherNameIsAskedWithAColonAndNeverListed) {
  put("vm", "{'id':'v2','cluster':'c1','migrating_to':'h1','vm':['v1']}");
  put("vm", "{'id':'v3','migrating_to':['h2','h1','h1']}");
  put("host", "{'id':'h1','vm':['v1']}");
  EXPECT_EQ(ask("host", "{'select':['@[vm:migrating_to].id','@[vm].id']}"),
            "[{'@[vm:migrating_to].id':['v2','v3'],'@[vm].id':['v1']}]");
  EXPECT_EQ(ask_one("vm", "v1", "{'select':'@[vm].id'}"), "{'@[vm].id':['v2']}");
  EXPECT_EQ(ask_one("vm", "v2", "{'select':'@[vm].id'}"), "{'@[vm].id':['v1']}");
}

TEST_F(SelectTest, ThoseWhoReferHereComeInCreationOrderAndIdsMatchByTheirText) {
  put("vm", "{'id':1}");
  put("disk", "{'id':'z','vm':1}");
  put("disk", "{'id':'b','vm':'1'}");
  put("disk", "{'id':'c','vm':['1',1]}");
  put("disk", "{'id':'d','vm':1.0}");
  put("disk", "{'id':'e','vm':[['1']]}");
  put("disk", "{'id':'f','vm':'\\u0031'}");
  EXPECT_EQ(ask_one("vm", "1", "{'select':'@[disk].id'}"), "{'@[disk].id':['z','b','c','f']}");
}

TEST_F(SelectTest, AManyWithoutMatchesIsAnEmptyArray) {
  EXPECT_EQ(ask("vm", "{'select':['@[disk]','@[disk].name','@[disk](name)','@[disk].@vm.name']}"),
            "[{'@[disk]':[],'@[disk].name':[],'@[disk].@vm.name':[]}]");
}

TEST_F(SelectTest, EntriesWithoutTheFieldAreLeftOutAndFalsyValuesStay) {
  put("vm", "{'id':'v2','cluster':'c1','name':0}");
  put("vm", "{'id':'v3','cluster':'c1'}");
  put("vm", "{'id':'v4','cluster':'c1','name':''}");
  put("vm", "{'id':'v5','cluster':'c1','name':null}");
  put("vm", "{'id':'v6','cluster':'c1','name':false}");
  EXPECT_EQ(ask("cluster", "{'select':'@[vm].name'}"), "[{'@[vm].name':['vm1',0,'',null,false]}]");
  EXPECT_EQ(ask("cluster", "{'select':'@[vm](name)'}"),
            "[{'@[vm]':[{'name':'vm1'},{'name':0},{},{'name':''},{'name':null},{'name':false}]}]");
}

TEST_F(SelectTest, TwoManyInARowAreAnArrayOfArrays) {
  put("cluster", "{'id':'c2','data_center':'dc'}");
  put("vm", "{'id':'v2','cluster':'c1','name':'vm2'}");
  EXPECT_EQ(ask("data_center", "{'select':'@[cluster].@[vm].name'}"),
            "[{'@[cluster].@[vm].name':[['vm1','vm2'],[]]}]");
  EXPECT_EQ(ask("data_center", "{'select':'@[cluster].@[vm](name)'}"),
            "[{'@[cluster].@[vm]':[[{'name':'vm1'},{'name':'vm2'}],[]]}]");
}

TEST_F(SelectTest, AReferenceBehindAManyIsLeftOutOfTheArrayIfItLeadsNowhere) {
  put("host", "{'id':'h1','name':'host1'}");
  put("vm", "{'id':'v2','cluster':'c1','host':'h1'}");
  put("vm", "{'id':'v3','cluster':'c1','host':'gone'}");
  put("vm", "{'id':'v4','cluster':'c1','host':'h1'}");
  EXPECT_EQ(ask("cluster", "{'select':['@[vm].@host.name','@[vm].@host','@[vm].@host.@[vm].id']}"),
            "[{'@[vm].@host.name':['host1','host1'],'@[vm].@host':[{'id':'h1','name':'host1'},"
            "{'id':'h1','name':'host1'}],'@[vm].@host.@[vm].id':[['v2','v4'],['v2','v4']]}]");
}

TEST_F(SelectTest, AllFieldsBehindADotComeUnderTheirOwnPaths) {
  EXPECT_EQ(ask("vm", "{'select':['@cluster.*','id']}"),
            "[{'@cluster.id':'c1','@cluster.name':'Default','@cluster.version':'3.6',"
            "'@cluster.data_center':'dc','id':'v1'}]");
  EXPECT_EQ(ask("vm", "{'select':'@cluster.@data_center.*'}"),
            "[{'@cluster.@data_center.id':'dc','@cluster.@data_center.name':'Default DC',"
            "'@cluster.@data_center.version':'3.5'}]");
}

TEST_F(SelectTest, AllFieldsBehindAManyNeedBrackets) {
  EXPECT_TRUE(ask("cluster", "{'select':'@[vm].*'}").starts_with("! select: "));
  EXPECT_TRUE(ask("cluster", "{'select':'@[vm].@host.*'}").starts_with("! select: "));
  EXPECT_TRUE(ask("vm", "{'select':['id','@cluster.@[vm].*']}").starts_with("! select[1]: "));
  EXPECT_TRUE(
      ask("cluster", "{'select':{'many_ref':'vm','select':'*'}}").starts_with("! select.select: "));
  EXPECT_TRUE(ask("vm", "{'select':{'ref':'cluster','select':{'many_ref':'vm','select':'*'}}}")
                  .starts_with("! select.select.select: "));
  EXPECT_TRUE(ask("vm", "{'select':{'many_ref':'x','select':'@cluster.*'}}")
                  .starts_with("! select.select: "));
  EXPECT_EQ(ask("cluster", "{'select':'@[vm](@cluster.*)'}"),
            "[{'@[vm]':[{'@cluster.id':'c1','@cluster.name':'Default','@cluster.version':'3.6',"
            "'@cluster.data_center':'dc'}]}]");
}

}  // namespace
}  // namespace doctor::query
