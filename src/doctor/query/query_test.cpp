// A query as a value, and what it may cost.

#include "doctor/query/query.hpp"

#include <gtest/gtest.h>

#include "doctor/query/plan.hpp"
#include "doctor/query/questions.hpp"

namespace doctor::query {
namespace {

class QueryTest : public testing::Test, protected Questions {
 protected:
  Query parse(std::string_view text) {
    return Query::parse(quoted(text), "vm", false, limits).value();
  }
  Error refused(std::string_view text, bool single = false) {
    const auto parsed = Query::parse(quoted(text), "vm", single, limits);
    return parsed ? Error{} : parsed.error();
  }
};

TEST_F(QueryTest, NoQueryIsPlain) {
  EXPECT_TRUE(Query().is_plain());
  EXPECT_TRUE(parse("").is_plain());
  EXPECT_TRUE(parse(" \n").is_plain());
  EXPECT_TRUE(parse("null").is_plain());
  EXPECT_TRUE(parse("{}").is_plain());
  EXPECT_FALSE(parse("{'limit':0}").is_plain());
  EXPECT_FALSE(parse("{'select':'*'}").is_plain());
}

TEST_F(QueryTest, KnowsEveryCollectionThatItMayTouch) {
  EXPECT_EQ(parse("").collections(), (std::set<std::string>{"vm"}));
  EXPECT_EQ(parse("{'select':['@a.b','@c:d(@[e])',{'many_ref':'f','where':{'@g.h':1}}],"
                  "'where':{'@[i:x].@j.k':1,'$or':[{'@l':{'@m.n':null}}]},'orderBy':'-@o.p'}")
                .collections(),
            (std::set<std::string>{"a", "d", "e", "f", "g", "i", "j", "l", "m", "o", "vm"}));
}

TEST_F(QueryTest, TheTextBehindACursorIsTheSameQueryWithAfter) {
  EXPECT_EQ(apostrophes(parse("").text_after("x")), "{'after':'x'}");
  EXPECT_EQ(
      apostrophes(parse("{ 'limit' : 5, 'after':'old', 'select' : [ 'a' ] }").text_after("x'")),
      "{'limit':5,'select':['a'],'after':'x''}");
  const Query query = parse("{'limit':5,'after':'one'}");
  EXPECT_EQ(query.after(), "one");
  EXPECT_EQ(parse(query.text_after("two")).after(), "two");
}

TEST_F(QueryTest, TheFingerprintDistinguishesQueriesButForAfter) {
  const auto print = [&](std::string_view text) { return parse(text).plan().fingerprint; };
  EXPECT_EQ(print("{'limit':5,'after':'one'}"), print("{'after':'two','limit' : 5}"));
  EXPECT_NE(print("{'limit':5}"), print("{'limit':6}"));
  EXPECT_NE(print("{'limit':5}"), print("{'skip':5}"));
  EXPECT_NE(Query::parse("", "a", false, limits)->plan().fingerprint,
            Query::parse("", "b", false, limits)->plan().fingerprint);
}

TEST_F(QueryTest, UnknownKeysAndValuesOfTheWrongKindAreRefused) {
  EXPECT_EQ(refused("{'limits':5}").field, "limits");
  EXPECT_EQ(refused("{'after':5}").field, "after");
  EXPECT_EQ(refused("{'after':''}").field, "after");
  EXPECT_EQ(refused("[]").detail, "a query is a JSON object, not an array");
  EXPECT_EQ(refused("'x'").code, Errc::invalid);
  EXPECT_EQ(refused("{'select':'a',}").offset, 14u);
  EXPECT_EQ(refused("{'select':'a','select':'b'}").code, Errc::invalid);
  EXPECT_EQ(refused("{}{}").code, Errc::invalid);
  EXPECT_EQ(refused("{'a':'\xFF'}").code, Errc::invalid);
}

TEST_F(QueryTest, ASingleDocumentTakesSelectAlone) {
  put("vm", "{'id':'1','n':2}");
  EXPECT_EQ(ask_one("vm", "1", "{'select':'n'}"), "{'n':2}");
  EXPECT_EQ(ask_one("vm", "1", ""), "{'id':'1','n':2}");
  EXPECT_TRUE(ask_one("vm", "2", "").starts_with("! "));
  EXPECT_TRUE(ask_one("nothing", "1", "").starts_with("! "));
  for (const char* key : {"where", "orderBy", "limit", "skip", "count", "after"}) {
    EXPECT_EQ(refused("{'" + std::string(key) + "':1}", true).field, key);
  }
}

TEST_F(QueryTest, AListOfAnUnknownCollectionIsEmpty) {
  EXPECT_EQ(ask("nothing", "{'select':'@x.y','orderBy':'a'}"), "[]");
}

TEST_F(QueryTest, TheTextIsBounded) {
  limits.query_text = 20;
  EXPECT_TRUE(Query::parse(quoted("{'select':'0123456'}"), "vm", false, limits));
  const Error failure = refused("{'select':'01234567'}");
  EXPECT_EQ(failure.code, Errc::too_large);
  EXPECT_NE(failure.detail.find("query_text"), std::string::npos);
}

// ---- hostile queries ----

class HostileQueryTest : public testing::Test, protected Questions {
 protected:
  HostileQueryTest() {
    put("a", "{'id':'1','a':'1','b':['2','1'],'s':'x'}");
    put("b", "{'id':'1','b':'1','a':['1']}");
    put("b", "{'id':'2','b':'2','a':'1'}");
  }
  static std::string repeated(std::string_view text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
  }
  // What came of a query: its answer, or the name of the limit that it passed.
  std::string outcome(std::string_view query) {
    const std::string answer = ask("a", query);
    for (const char* limit : {"query_nesting", "query_documents", "answer_size", "query_text"}) {
      if (answer.find(limit) != std::string::npos) return limit;
    }
    return answer;
  }
};

TEST_F(HostileQueryTest, AChainOfReferencesMayBeAsLongAsTheTextAllows) {
  const std::string chain = repeated("@a.", 300'000);
  const std::string answer = ask("a", "{'select':'" + chain + "s'}");
  EXPECT_TRUE(answer.ends_with(".s':'x'}]")) << answer.substr(0, 100);
  EXPECT_EQ(outcome("{'select':'s','where':{'" + chain + "s':'X*'}}"), "[{'s':'x'}]");
  EXPECT_EQ(outcome("{'select':'s','orderBy':'" + chain + "s'}"), "[{'s':'x'}]");
}

TEST_F(HostileQueryTest, ChainsThatBranchAtEachStepAreAnswered) {
  std::string select = "'s'";
  std::string chain;
  for (int i = 0; i < 800; ++i) {
    chain += "@a.";
    select += ",'" + chain + "s'";
  }
  EXPECT_TRUE(ask("a", "{'select':[" + select + "]}").ends_with("@a.s':'x'}]"));
}

TEST_F(HostileQueryTest, NestingIsAnsweredUpToItsLimit) {
  const auto nested = [&](std::string_view open, std::string_view middle, std::string_view close,
                          std::size_t depth) {
    return outcome(repeated(open, depth) + std::string(middle) + repeated(close, depth));
  };
  const auto select = [&](std::string_view open, std::string_view middle, std::string_view close,
                          std::size_t depth) {
    return outcome("{'select':" + repeated(open, depth) + std::string(middle) +
                   repeated(close, depth) + "}");
  };
  EXPECT_EQ(select("[", "'s'", "]", 499), "[{'s':'x'}]");
  EXPECT_EQ(select("[", "'s'", "]", 500), "query_nesting");
  EXPECT_EQ(select("[", "'s'", "]", 100'000), "query_nesting");
  EXPECT_EQ(nested("[", "", "]", 500'000), "query_nesting");
  EXPECT_EQ(outcome(repeated("[", 500'000)), "query_nesting");

  const auto brackets = [&](std::size_t depth) {
    return outcome("{'select':'" + repeated("@a(", depth) + "s" + repeated(")", depth) + "'}");
  };
  EXPECT_TRUE(brackets(490).ends_with("{'s':'x'}" + repeated("}", 490) + "]"));
  EXPECT_EQ(brackets(500), "query_nesting");
  EXPECT_EQ(brackets(100'000), "query_nesting");
  EXPECT_EQ(outcome("{'select':'" + repeated("@[b].", 100'000) + "s'}"), "query_nesting");
  EXPECT_EQ(outcome("{'where':{'" + repeated("@[b].", 100'000) + "s':1}}"), "query_nesting");
  EXPECT_TRUE(outcome("{'select':'" + repeated("@[a].", 490) + "s'}")
                  .ends_with(repeated("[", 490) + "'x'" + repeated("]", 490) + "}]"));
  EXPECT_EQ(outcome("{'where':{'" + repeated("@[a].", 490) + "s':'x'},'select':'s'}"),
            "[{'s':'x'}]");
  EXPECT_TRUE(select("{'ref':'a','select':", "'s'", "}", 490).ends_with(".s':'x'}]"));
  EXPECT_TRUE(select("{'ref':'a','select':[", "'s'", "]}", 240).ends_with("}}]"));

  const auto where = [&](std::string_view open, std::string_view middle, std::string_view close,
                         std::size_t depth) {
    return outcome("{'select':'s','where':" + repeated(open, depth) + std::string(middle) +
                   repeated(close, depth) + "}");
  };
  EXPECT_EQ(where("{'$and':[", "{}", "]}", 240), "[{'s':'x'}]");
  EXPECT_EQ(where("{'$and':[", "{}", "]}", 250), "query_nesting");
  EXPECT_EQ(where("{'@a':", "{}", "}", 490), "[{'s':'x'}]");
  EXPECT_EQ(where("{'@a':", "{}", "}", 500), "query_nesting");
  EXPECT_EQ(where("{'@[b]':{'@[a]':", "{}", "}}", 5), "[{'s':'x'}]");
  EXPECT_EQ(where("{'s':{'$not':{'$not':", "'x'", "}}}", 1), "[{'s':'x'}]");
  EXPECT_EQ(where("{'s':" + repeated("{'$not':{'$not':", 240), "'x'", repeated("}}", 240) + "}", 1),
            "[{'s':'x'}]");
  EXPECT_EQ(where("{'s':{'$eq':" + repeated("[", 490), "", repeated("]", 490) + "}}", 1), "[]");
}

TEST_F(HostileQueryTest, WaysThatMultiplyEndAtABudget) {
  limits.query_documents = 10'000;
  limits.answer_size = 100'000;
  for (int i = 0; i < 10; ++i) {
    put("m", "{'id':" + std::to_string(i) + ",'a':1,'m':[0,1,2,3,4,5,6,7,8,9]}");
  }
  put("a", "{'id':'1','m':[0,1,2,3,4,5,6,7,8,9]}");
  EXPECT_EQ(outcome("{'where':{'" + repeated("@[m].", 9) + "nothing':1}}"), "query_documents");
  EXPECT_EQ(
      outcome("{'select':{'many_ref':'m','where':{'" + repeated("@[m].", 9) + "nothing':1}}}"),
      "query_documents");
  EXPECT_EQ(outcome("{'select':'" + repeated("@[m].", 9) + "nothing'}"), "query_documents");
  // What stands behind a reference is judged and written once for each document there.
  EXPECT_EQ(outcome("{'where':{'" + repeated("@[m:a].@a.", 9) + "nothing':1}}"), "query_documents");
  EXPECT_EQ(outcome("{'where':{'@[m]':" + repeated("{'@a':{'@[m]':", 9) + "{'x':1}" +
                    repeated("}}", 9) + "}}"),
            "[]");
  EXPECT_EQ(outcome("{'select':'" + repeated("@[m:a].@a.", 6) + "nothing'}"), "answer_size");
}

TEST_F(HostileQueryTest, AnAnswerThatGrowsEndsAtItsSize) {
  limits.answer_size = 100'000;
  put("a", "{'id':'1','a':'1','s':'" + std::string(10'000, 'x') + "'}");
  std::string select = "'s'";
  for (int i = 0; i < 100; ++i) select += ",{'field':'s','as':'s" + std::to_string(i) + "'}";
  EXPECT_EQ(outcome("{'select':[" + select + "]}"), "answer_size");
  EXPECT_EQ(outcome("{'select':'" + repeated("@a(*,", 20) + "s" + repeated(")", 20) + "'}"),
            "answer_size");
}

TEST_F(HostileQueryTest, AskingVeryMuchOfFewDocumentsEndsAtTheBudgetToo) {
  limits.query_documents = 100;
  std::string select = "'s'";
  std::string where = "{}";
  for (int i = 0; i < 50'000; ++i) {
    select += ",'f" + std::to_string(i) + "'";
    where += ",{'f" + std::to_string(i) + "':1}";
  }
  EXPECT_EQ(outcome("{'select':[" + select + "]}"), "query_documents");
  EXPECT_EQ(outcome("{'where':{'$and':[" + where + "]}}"), "[]");  // the first does not hold
  EXPECT_EQ(outcome("{'where':{'$nor':[" + where.substr(3) + "]}}"), "query_documents");
  put("a", "{'id':'1','s':'" + std::string(100'000, 'a') + "'}");
  EXPECT_EQ(outcome("{'where':{'s':'" + repeated("*a", 1'000) + "b'}}"), "query_documents");
  EXPECT_EQ(outcome("{'where':{'s':'" + repeated("{a,b}", 1'000) + "b'}}"), "query_documents");
}

TEST_F(HostileQueryTest, GoingThroughNestedValuesAgainAndAgainEndsAtTheBudgetToo) {
  limits.query_documents = 100;
  put("a", "{'id':'1','a':'1','s':'x','o':{'x':{'y':{'z':'" + std::string(150'000, 'x') + "'}}}}");
  EXPECT_EQ(outcome("{'select':'s','orderBy':'o.x.y'}"), "[{'s':'x'}]");
  EXPECT_EQ(outcome("{'select':'s','orderBy':['o.x.y','o.y','o.z']}"), "query_documents");
  // Each object's text is gone through once more for its repeated keys.
  const auto nested = [&](std::size_t depth) {
    std::string select = "'s'";
    for (std::size_t i = 0; i < depth; ++i) {
      select = "{'field':'id','as':'s'},'*',{'ref':'a','as':'z','select':[" + select + "]}";
    }
    return outcome("{'select':[" + select + "]}");
  };
  EXPECT_TRUE(nested(1).starts_with("[{'s':'1','id':'1'"));
  EXPECT_EQ(nested(20), "query_documents");
}

TEST_F(HostileQueryTest, BudgetsCountOnlyWhatTheViewShows) {
  limits.query_documents = 3;
  EXPECT_EQ(outcome("{'select':'s'}"), "[{'s':'x'}]");
  put("a", "{'id':'2'}");
  put("a", "{'id':'3'}");
  EXPECT_EQ(outcome("{'select':[]}"), "[{},{},{}]");
  put("a", "{'id':'4'}");
  EXPECT_EQ(outcome("{'select':[]}"), "query_documents");
  EXPECT_EQ(outcome("{'select':[],'limit':2}"), "[{},{}]");
}

TEST_F(HostileQueryTest, ErrorsRepeatNoMoreThanTheBeginningOfWhatWasSent) {
  const std::string name(500'000, 'x');
  EXPECT_LT(ask("a", "{'" + name + "':1}").size(), 1'000u);
  EXPECT_LT(ask("a", "{'select':'" + name + "('}").size(), 1'000u);
  EXPECT_LT(ask("a", "{'where':{'" + name + "':{'$" + name + "':1}}}").size(), 1'000u);
  EXPECT_LT(ask("a", "{'limit':'" + name + "'}").size(), 1'000u);
}

}  // namespace
}  // namespace doctor::query
