#include <gtest/gtest.h>

#include "doctor/query/questions.hpp"

namespace doctor::query {
namespace {

class WhereTest : public testing::Test, protected Questions {
 protected:
  WhereTest() {
    put("data_center", "{'id':'dc','name':'Default DC'}");
    put("cluster", "{'id':'c1','name':'Default','data_center':'dc'}");
    put("cluster", "{'id':'c2','name':'Other'}");
    put("vm", "{'id':'1','status':'up','memory':1024,'cluster':'c1'}");
    put("vm", "{'id':'2','status':'down','memory':512.0,'cluster':'c1'}");
    put("vm", "{'id':'3','status':'up','cluster':'gone','n':null}");
    put("vm", "{'id':'4','status':'DOWN','memory':2e3,'cluster':'c2'}");
  }
};

TEST_F(WhereTest, AllConditionsMustHold) {
  EXPECT_EQ(where("vm", "{}"), "1 2 3 4");
  EXPECT_EQ(where("vm", "{'status':'up'}"), "1 3");
  EXPECT_EQ(where("vm", "{'status':'up','@cluster.name':'Def*','memory':{'$gte':1024}}"), "1");
  EXPECT_EQ(where("nothing", "{'a':1}"), "");
}

TEST_F(WhereTest, AScalarIsEqualIfTheTypesAgree) {
  EXPECT_EQ(where("vm", "{'memory':1024.0}"), "1");
  EXPECT_EQ(where("vm", "{'memory':5120e-1}"), "2");
  EXPECT_EQ(where("vm", "{'memory':'1024'}"), "");
  EXPECT_EQ(where("vm", "{'status':'Up'}"), "");
  EXPECT_EQ(where("vm", "{'status':true}"), "");
  put("vm", "{'id':'5','on':true,'é':'\\u0061b'}");
  EXPECT_EQ(where("vm", "{'on':true}"), "5");
  EXPECT_EQ(where("vm", "{'on':false}"), "");
  EXPECT_EQ(where("vm", "{'é':'ab'}"), "5");
  EXPECT_EQ(where("vm", "{'\\u00e9':'\\u0061\\u0062'}"), "5");
}

TEST_F(WhereTest, NullMatchesNullAndAbsent) {
  EXPECT_EQ(where("vm", "{'n':null}"), "1 2 3 4");
  EXPECT_EQ(where("vm", "{'memory':null}"), "3");
  EXPECT_EQ(where("vm", "{'memory':{'$ne':null}}"), "1 2 4");
  EXPECT_EQ(where("vm", "{'memory':{'$in':[null,1024]}}"), "1 3");
  EXPECT_EQ(where("vm", "{'memory':{'$nin':[null,1024]}}"), "2 4");
  EXPECT_EQ(where("vm", "{'@cluster.name':null}"), "3");
  EXPECT_EQ(where("vm", "{'a.b.c':null}"), "1 2 3 4");
}

TEST_F(WhereTest, NullAlsoMatchesWhereThereIsNoValueAtThePathAtAll) {
  put("x", "{'id':'none','a':[]}");
  put("x", "{'id':'some','a':[{'b':1},{'c':1}]}");
  put("x", "{'id':'null','a':[{'b':1},{'b':null}]}");
  put("x", "{'id':'other','a':[{'c':1}]}");
  EXPECT_EQ(where("x", "{'a.b':null}"), "none null other");
  EXPECT_EQ(where("x", "{'a':null}"), "");
  EXPECT_EQ(where("cluster", "{'@[vm].n':null}"), "c1 c2");
  EXPECT_EQ(where("cluster", "{'@[vm].memory':null}"), "");
  EXPECT_EQ(where("data_center", "{'@[vm].memory':null}"), "dc");
}

TEST_F(WhereTest, AgainstAnIdANumberIsComparedByItsTextForEqualityOnly) {
  EXPECT_EQ(where("vm", "{'id':2}"), "2");
  EXPECT_EQ(where("vm", "{'id':2.0}"), "");
  EXPECT_EQ(where("vm", "{'id':{'$in':[1,'3',4.0]}}"), "1 3");
  EXPECT_EQ(where("vm", "{'id':{'$ne':2}}"), "1 3 4");
  EXPECT_EQ(where("vm", "{'id':{'$nin':[1,2,3]}}"), "4");
  EXPECT_EQ(where("vm", "{'id':{'$gt':2}}"), "");
  EXPECT_EQ(where("vm", "{'id':{'$gt':'2'}}"), "3 4");
  put("disk", "{'id':7,'vm':1}");
  EXPECT_EQ(where("disk", "{'@vm.id':1}"), "7");
  EXPECT_EQ(where("disk", "{'@vm':{'id':1}}"), "7");
  EXPECT_EQ(where("disk", "{'vm':1}"), "7");
  EXPECT_EQ(where("disk", "{'vm':'1'}"), "");
  EXPECT_EQ(where("vm", "{'@[disk].id':7}"), "1");
  put("x", "{'id':'a','o':{'id':'7'}}");
  EXPECT_EQ(where("x", "{'o.id':7}"), "");
}

TEST_F(WhereTest, AStringWithMarksIsAGlob) {
  EXPECT_EQ(where("vm", "{'status':'D*'}"), "2 4");
  EXPECT_EQ(where("vm", "{'status':'?p'}"), "1 3");
  EXPECT_EQ(where("vm", "{'status':'[!u]*'}"), "2 4");
  EXPECT_EQ(where("vm", "{'status':'{up,off}'}"), "1 3");
  EXPECT_EQ(where("vm", "{'memory':'*'}"), "");
  EXPECT_EQ(where("vm", "{'status':{'$glob':'DOWN'}}"), "2 4");
  EXPECT_EQ(where("vm", "{'status':{'$not':'d*'}}"), "1 3");
}

TEST_F(WhereTest, EqComparesLiterally) {
  put("x", "{'id':'1','s':'a*b'}");
  put("x", "{'id':'2','s':'axb'}");
  EXPECT_EQ(where("x", "{'s':'a*b'}"), "1 2");
  EXPECT_EQ(where("x", "{'s':{'$eq':'a*b'}}"), "1");
  EXPECT_EQ(where("x", "{'s':{'$ne':'a*b'}}"), "2");
  EXPECT_EQ(where("x", "{'s':{'$in':['a*b']}}"), "1");
  EXPECT_EQ(where("x", "{'s':{'$nin':['a*b']}}"), "2");
}

TEST_F(WhereTest, ArraysAndObjectsWithoutOperatorsAreComparedWhole) {
  put("x", "{'id':'1','o':{'a':1,'b':[1,{}]},'t':['x',['y']]}");
  EXPECT_EQ(where("x", "{'o':{'b':[1.0,{}],'a':1}}"), "1");
  EXPECT_EQ(where("x", "{'o':{'a':1}}"), "");
  EXPECT_EQ(where("x", "{'o':{}}"), "");
  EXPECT_EQ(where("x", "{'t':['x',['y']]}"), "1");
  EXPECT_EQ(where("x", "{'t':['y']}"), "1");
  EXPECT_EQ(where("x", "{'t':['x']}"), "");
  EXPECT_EQ(where("x", "{'o':{'$eq':{'a':1,'b':[1,{}]}}}"), "1");
  EXPECT_EQ(where("x", "{'o':{'$in':[[],{'b':[1,{}],'a':1}]}}"), "1");
}

TEST_F(WhereTest, AKeyMayBeAPathIntoNestedObjects) {
  put("x", "{'id':'1','address':{'city':'Brno','geo':{'lat':49.2}}}");
  put("x", "{'id':'2','address':{'cit\\u0079':'Praha'}}");
  put("x", "{'id':'3','address':'Brno'}");
  EXPECT_EQ(where("x", "{'address.city':'B*'}"), "1");
  EXPECT_EQ(where("x", "{'address.city':'Praha'}"), "2");
  EXPECT_EQ(where("x", "{'address.geo.lat':{'$gt':49}}"), "1");
  EXPECT_EQ(where("x", "{'address.geo.lat.x':{'$exists':true}}"), "");
  EXPECT_EQ(where("x", "{'address.city':{'$exists':false}}"), "3");
}

TEST_F(WhereTest, OtherKeysAreSplitAtDotsOnly) {
  put("x", "{'id':'1','Display Name':'One','a(b)':{'c d,[e]:*':5}}");
  EXPECT_EQ(where("x", "{'Display Name':'One'}"), "1");
  EXPECT_EQ(where("x", "{'a(b).c d,[e]:*':5}"), "1");
}

TEST_F(WhereTest, APathThatMeetsAnArrayAsksEachElement) {
  put("x", "{'id':'1','tags':['a','b'],'nics':[{'mac':'m1'},{'mac':'m2'},7]}");
  put("x", "{'id':'2','tags':[['b'],null],'nics':[[{'mac':'m3'}]]}");
  put("x", "{'id':'3','tags':'a','nics':{'mac':'m1'}}");
  EXPECT_EQ(where("x", "{'tags':'a'}"), "1 3");
  EXPECT_EQ(where("x", "{'tags':'B*'}"), "1 2");
  EXPECT_EQ(where("x", "{'tags':null}"), "2");
  EXPECT_EQ(where("x", "{'nics.mac':'m1'}"), "1 3");
  EXPECT_EQ(where("x", "{'nics.mac':'m3'}"), "2");
  EXPECT_EQ(where("x", "{'nics.0.mac':'m1'}"), "");
  EXPECT_EQ(where("x", "{'tags':{'$ne':'a'}}"), "2");
}

TEST_F(WhereTest, EachOperatorOfOneKeyIsJudgedByItself) {
  put("x", "{'id':'1','n':[0,10]}");
  EXPECT_EQ(where("x", "{'n':{'$gt':5,'$lt':1}}"), "1");
  EXPECT_EQ(where("x", "{'n':{'$gt':5,'$lt':0}}"), "");
}

TEST_F(WhereTest, OrderingComparesNumbersWithNumbersAndStringsWithStrings) {
  EXPECT_EQ(where("vm", "{'memory':{'$gt':512}}"), "1 4");
  EXPECT_EQ(where("vm", "{'memory':{'$gte':512}}"), "1 2 4");
  EXPECT_EQ(where("vm", "{'memory':{'$lt':1.024e3}}"), "2");
  EXPECT_EQ(where("vm", "{'memory':{'$lte':1.024e3}}"), "1 2");
  EXPECT_EQ(where("vm", "{'memory':{'$gt':'0'}}"), "");
  EXPECT_EQ(where("vm", "{'memory':{'$gte':null}}"), "");
  EXPECT_EQ(where("vm", "{'status':{'$gt':'DOWN'}}"), "1 2 3");
  EXPECT_EQ(where("vm", "{'status':{'$gte':'down','$lt':'up'}}"), "2");
  put("x", "{'id':'1','s':'\xEF\xBF\xAE'}");
  put("x", "{'id':'2','s':'\xF0\x9F\x98\x80'}");
  EXPECT_EQ(where("x", "{'s':{'$gt':'\\uffee'}}"), "2");
  put("y", "{'id':'1','n':1e400,'b':true}");
  put("y", "{'id':'2','n':-1e400,'b':false}");
  EXPECT_EQ(where("y", "{'n':{'$gt':1e399}}"), "1");
  EXPECT_EQ(where("y", "{'n':{'$lt':-1e399}}"), "2");
  EXPECT_EQ(where("y", "{'b':{'$gte':false}}"), "");
}

TEST_F(WhereTest, ExistsAsksWhetherTheFieldIsThereNullIncluded) {
  EXPECT_EQ(where("vm", "{'n':{'$exists':true}}"), "3");
  EXPECT_EQ(where("vm", "{'n':{'$exists':false}}"), "1 2 4");
  EXPECT_EQ(where("vm", "{'@cluster.name':{'$exists':true}}"), "1 2 4");
  EXPECT_EQ(where("vm", "{'@cluster.name':{'$exists':false}}"), "3");
  put("x", "{'id':'1','a':[]}");
  EXPECT_EQ(where("x", "{'a':{'$exists':true}}"), "1");
  EXPECT_EQ(where("x", "{'a.b':{'$exists':true}}"), "");
}

TEST_F(WhereTest, NegationsAreExactlyTheNegationOfWhatTheyName) {
  EXPECT_EQ(where("vm", "{'memory':{'$ne':1024}}"), "2 3 4");
  EXPECT_EQ(where("vm", "{'memory':{'$nin':[1024,512]}}"), "3 4");
  EXPECT_EQ(where("vm", "{'memory':{'$not':{'$gt':600}}}"), "2 3");
  EXPECT_EQ(where("vm", "{'memory':{'$not':{'$gt':600,'$lt':1500}}}"), "2 3 4");
  EXPECT_EQ(where("vm", "{'memory':{'$not':1024}}"), "2 3 4");
  EXPECT_EQ(where("vm", "{'memory':{'$not':{'$not':1024}}}"), "1");
  EXPECT_EQ(where("vm", "{'memory':{'$not':null}}"), "1 2 4");
  EXPECT_EQ(where("vm", "{'$nor':[{'memory':1024},{'status':'down'}]}"), "3 4");
  EXPECT_EQ(where("cluster", "{'@[vm].status':{'$ne':'up'}}"), "c2");
  EXPECT_EQ(where("cluster", "{'@[vm].status':'up'}"), "c1");
  EXPECT_EQ(where("data_center", "{'@[vm].status':{'$ne':'up'}}"), "dc");
}

TEST_F(WhereTest, GroupsOfConditions) {
  EXPECT_EQ(where("vm", "{'$or':[{'status':'down'},{'memory':{'$gt':1500}}]}"), "2 4");
  EXPECT_EQ(where("vm", "{'$and':[{'status':'up'},{'memory':1024}]}"), "1");
  EXPECT_EQ(where("vm", "{'status':'up','$or':[{'id':'3'},{'id':'2'}]}"), "3");
  EXPECT_EQ(where("vm", "{'$and':[]}"), "1 2 3 4");
  EXPECT_EQ(where("vm", "{'$nor':[]}"), "1 2 3 4");
  EXPECT_EQ(where("vm", "{'$or':[]}"), "");
  EXPECT_EQ(where("vm", "{'$or':[{}]}"), "1 2 3 4");
  EXPECT_EQ(where("vm", "{'$nor':[{'$or':[{'$and':[{'status':'up'}]}]}]}"), "2 4");
}

TEST_F(WhereTest, APathGoesThroughReferences) {
  EXPECT_EQ(where("vm", "{'@cluster.@data_center.name':'default*'}"), "1 2");
  EXPECT_EQ(where("vm", "{' @cluster.name':'x'}"), "");  // no reference: a name with a blank
  EXPECT_EQ(where("vm", "{'@ cluster . name ':'Other'}"), "4");
  EXPECT_EQ(where("data_center", "{'@[cluster].@[vm].memory':512}"), "dc");
  EXPECT_EQ(where("data_center", "{'@[cluster].@[vm].memory':2000}"), "");
  EXPECT_EQ(where("vm", "{'@cluster.@[vm].id':2}"), "1 2");
  EXPECT_EQ(where("cluster", "{'@[vm:cluster].status':'DOWN'}"), "c2");
}

TEST_F(WhereTest, AConditionUnderAReferenceAsksAllOfItOfThatDocument) {
  EXPECT_EQ(where("vm", "{'@cluster':{'name':'Default','@data_center.id':'dc'}}"), "1 2");
  EXPECT_EQ(where("vm", "{'@cluster':{'$or':[{'id':'c2'},{'name':'x'}]}}"), "4");
  EXPECT_EQ(where("vm", "{'@cluster':{}}"), "1 2 4");
  EXPECT_EQ(where("vm", "{'@cluster':{'$exists':true}}"), "1 2 4");
  EXPECT_EQ(where("vm", "{'@cluster':{'$exists':false}}"), "3");
  EXPECT_EQ(where("vm", "{'@cluster':{'$not':{'name':'Default'}}}"), "3 4");
  EXPECT_EQ(where("vm", "{'@cluster':null}"), "3");
}

TEST_F(WhereTest, AConditionUnderAManyAsksForOneThatMeetsAllOfIt) {
  EXPECT_EQ(where("cluster", "{'@[vm]':{'status':'up','memory':512}}"), "");
  EXPECT_EQ(where("cluster", "{'@[vm].status':'up','@[vm].memory':512}"), "c1");
  EXPECT_EQ(where("cluster", "{'@[vm]':{'status':'up','memory':1024}}"), "c1");
  EXPECT_EQ(where("cluster", "{'@[vm]':{'$nor':[{'status':'up'}],'id':{'$gt':'1'}}}"), "c1 c2");
  EXPECT_EQ(where("cluster", "{'@[vm]':{'$not':{'status':'up'}}}"), "c2");
  EXPECT_EQ(where("data_center", "{'@[cluster]':{'@[vm]':{'memory':512}}}"), "dc");
  EXPECT_EQ(where("cluster", "{'@data_center.@[cluster]':{'name':'Default'}}"), "c1");
}

TEST_F(WhereTest, AManyWithoutConditionsAsksWhetherThereIsOne) {
  put("cluster", "{'id':'c3'}");
  EXPECT_EQ(where("cluster", "{'@[vm]':{}}"), "c1 c2");
  EXPECT_EQ(where("cluster", "{'@[vm]':{'$exists':true}}"), "c1 c2");
  EXPECT_EQ(where("cluster", "{'@[vm]':{'$exists':false}}"), "c3");
  EXPECT_EQ(where("cluster", "{'@[nothing]':{'$exists':false}}"), "c1 c2 c3");
}

TEST_F(WhereTest, AListedManyIsAskedForTheListedDocuments) {
  put("cluster", "{'id':'c4','vm':['4',1]}");
  EXPECT_EQ(where("cluster", "{'@[vm].status':'up'}"), "c1 c4");
  EXPECT_EQ(where("cluster", "{'@[vm:cluster].status':'up'}"), "c1");
}

TEST_F(WhereTest, WhatIsNoConditionIsRefusedWithItsPlace) {
  const auto place = [this](std::string_view condition) {
    const std::string answer = where("vm", condition);
    return answer.substr(0, answer.find(": "));
  };
  EXPECT_EQ(place("[]"), "! where");
  EXPECT_EQ(place("null"), "! where");
  EXPECT_EQ(place("{'':1}"), "! where.");
  EXPECT_EQ(place("{'a..b':1}"), "! where.a..b");
  EXPECT_EQ(place("{'a.':1}"), "! where.a.");
  EXPECT_EQ(place("{'.a':1}"), "! where..a");
  EXPECT_EQ(place("{'@':1}"), "! where.@");
  EXPECT_EQ(place("{'@a.*':1}"), "! where.@a.*");
  EXPECT_EQ(place("{'@a(b)':1}"), "! where.@a(b)");
  EXPECT_EQ(place("{'@a.b.c':1}"), "! where.@a.b.c");
  EXPECT_EQ(place("{'@a/b.c':1}"), "! where.@a/b.c");
  EXPECT_EQ(place("{'@[a.b':1}"), "! where.@[a.b");
  EXPECT_EQ(place("{'$xor':[]}"), "! where.$xor");
  EXPECT_EQ(place("{'$eq':1}"), "! where.$eq");
  EXPECT_EQ(place("{'$and':{}}"), "! where.$and");
  EXPECT_EQ(place("{'$and':[{},{'status':{'$like':'x'}}]}"), "! where.$and[1].status.$like");
  EXPECT_EQ(place("{'$or':[1]}"), "! where.$or[0]");
  EXPECT_EQ(place("{'a':{'$gt':1,'b':2}}"), "! where.a");
  EXPECT_EQ(place("{'a':{'b':2,'$gt':1}}"), "! where.a");
  EXPECT_EQ(place("{'a':{'$and':[]}}"), "! where.a.$and");
  EXPECT_EQ(place("{'a':{'$in':1}}"), "! where.a.$in");
  EXPECT_EQ(place("{'a':{'$nin':'x'}}"), "! where.a.$nin");
  EXPECT_EQ(place("{'a':{'$exists':1}}"), "! where.a.$exists");
  EXPECT_EQ(place("{'a':{'$glob':1}}"), "! where.a.$glob");
  EXPECT_EQ(place("{'a':{'$not':{'$x':1}}}"), "! where.a.$not.$x");
  EXPECT_EQ(place("{'@a':{'$exists':true,'b':1}}"), "! where.@a");
  EXPECT_EQ(place("{'@a':{'$exists':true,'$or':[]}}"), "! where.@a");
  EXPECT_EQ(place("{'@a':{'b':{'$x':1}}}"), "! where.@a.b.$x");
  EXPECT_EQ(place("{'@[a]':{'$or':[{'b':{'$in':2}}]}}"), "! where.@[a].$or[0].b.$in");
}

}  // namespace
}  // namespace doctor::query
