// orderBy, limit, skip, count, and pages that continue one another.

#include <gtest/gtest.h>

#include "doctor/query/plan.hpp"
#include "doctor/query/questions.hpp"

namespace doctor::query {
namespace {

class OrderTest : public testing::Test, protected Questions {
 protected:
  std::string order(std::string_view by) { return ids("x", "{'orderBy':" + std::string(by) + "}"); }
};

TEST_F(OrderTest, MissingAndNullFirstThenFalseTrueNumbersStringsThenEverythingElse) {
  put("x", "{'id':'array','v':[0]}");
  put("x", "{'id':'s','v':'0'}");
  put("x", "{'id':'n','v':9}");
  put("x", "{'id':'true','v':true}");
  put("x", "{'id':'null','v':null}");
  put("x", "{'id':'false','v':false}");
  put("x", "{'id':'object','v':{}}");
  put("x", "{'id':'missing'}");
  EXPECT_EQ(order("'v'"), "null missing false true n s array object");
  EXPECT_EQ(order("'-v'"), "array object s n true false null missing");
  EXPECT_EQ(order("['v']"), "null missing false true n s array object");
  EXPECT_EQ(order("[]"), "array s n true null false object missing");
}

TEST_F(OrderTest, NumbersAreOrderedByTheirValue) {
  const char* const numbers[] = {"1e400",
                                 "3",
                                 "-1e400",
                                 "0.1",
                                 "12345678901234567891",
                                 "-0",
                                 "1e-400",
                                 "-5",
                                 "12345678901234567890",
                                 "1e401",
                                 "0",
                                 "0.10",
                                 "-1e-400"};
  for (const char* number : numbers) {
    put("x", "{'id':'" + std::string(number) + "','v':" + number + "}");
  }
  EXPECT_EQ(order("'v'"),
            "-1e400 -5 -1e-400 -0 0 1e-400 0.1 0.10 3 12345678901234567890 12345678901234567891 "
            "1e400 1e401");
}

TEST_F(OrderTest, StringsAreOrderedByCodePoint) {
  put("x", "{'id':'smile','v':'\xF0\x9F\x98\x80'}");
  put("x", "{'id':'halfwidth','v':'\xEF\xBF\xAE'}");
  put("x", "{'id':'escaped','v':'\\uffed'}");
  put("x", "{'id':'Z','v':'Z'}");
  put("x", "{'id':'a','v':'a'}");
  put("x", "{'id':'nul','v':'a\\u0000'}");
  put("x", "{'id':'empty','v':''}");
  put("x", "{'id':'long2','v':'the same beginning 2'}");
  put("x", "{'id':'long1','v':'the same beginning \\u0031'}");
  put("x", "{'id':'A','v':'\\u0041'}");
  EXPECT_EQ(order("'v'"), "empty A Z a nul long1 long2 escaped halfwidth smile");
}

TEST_F(OrderTest, SeveralPathsEachInItsDirectionAndTiesInCreationOrder) {
  put("x", "{'id':'1','a':1,'b':'x'}");
  put("x", "{'id':'2','a':2,'b':'y'}");
  put("x", "{'id':'3','a':1.0,'b':'y'}");
  put("x", "{'id':'4','a':2,'b':'x'}");
  put("x", "{'id':'5','a':1e0,'b':'x'}");
  EXPECT_EQ(order("['a','b']"), "1 5 3 4 2");
  EXPECT_EQ(order("['-a','b']"), "4 2 1 5 3");
  EXPECT_EQ(order("['a','-b']"), "3 1 5 2 4");
  EXPECT_EQ(order("'-a'"), "2 4 1 3 5");
}

TEST_F(OrderTest, APathMayGoIntoObjectsAndThroughReferences) {
  put("c", "{'id':'c1','n':2,'d':'d1'}");
  put("c", "{'id':'c2','n':1}");
  put("d", "{'id':'d1','n':0}");
  put("x", "{'id':'1','c':'c1','o':{'a':{'b':3}}}");
  put("x", "{'id':'2','c':'c2','o':{'a':[{'b':1}]}}");
  put("x", "{'id':'3','o':{'a':{'b':2}}}");
  put("x", "{'id':'4','c':'gone','o':5}");
  EXPECT_EQ(order("'o.a.b'"), "2 4 3 1");  // an array on the way counts as missing
  EXPECT_EQ(order("'@c.n'"), "3 4 2 1");
  EXPECT_EQ(order("['-@c.n']"), "1 2 3 4");
  EXPECT_EQ(order("'@c.@d.n'"), "2 3 4 1");
  EXPECT_EQ(order("'@c'"), "3 4 1 2");
}

TEST_F(OrderTest, WhatIsNoOrderIsRefusedWithItsPlace) {
  const auto place = [this](std::string_view by) {
    const std::string answer = order(by);
    return answer.substr(0, answer.find(": "));
  };
  EXPECT_EQ(place("1"), "! orderBy");
  EXPECT_EQ(place("null"), "! orderBy");
  EXPECT_EQ(place("['a',{}]"), "! orderBy[1]");
  EXPECT_EQ(place("''"), "! orderBy");
  EXPECT_EQ(place("'-'"), "! orderBy");
  EXPECT_EQ(place("['a..b']"), "! orderBy[0]");
  EXPECT_EQ(place("'@[vm].n'"), "! orderBy");
  EXPECT_EQ(place("'-@c.@[vm].n'"), "! orderBy");
  EXPECT_EQ(place("'@c(n)'"), "! orderBy");
  EXPECT_EQ(place("'@c.*'"), "! orderBy");
  EXPECT_EQ(place("['a','b','c','d','e','f','g','h','i','j','k','l','m','n','o','p','q']"),
            "! orderBy");
}

class PageTest : public testing::Test, protected Questions {
 protected:
  PageTest() {
    for (int i = 0; i < 10; ++i) {
      put("x", "{'id':" + std::to_string(i) + ",'n':" + std::to_string(i * 7 % 5) + ",'s':'" +
                   std::string(1, static_cast<char>('a' + i % 3)) + "'}");
    }
  }

  // All pages behind one another, with a bar between.
  std::string pages(std::string_view query) {
    const auto parsed = Query::parse(quoted(query), "x", false, limits).value();
    std::string all;
    std::string position;
    do {
      std::string out;
      const auto listed = list(view, "x", parsed, position, limits, out);
      if (!listed) return failed(listed.error());
      for (const std::string_view document : json::Elements(out)) {
        all += json::content((*json::Members(document).begin()).value);
      }
      position = listed->next;
      if (!position.empty()) all += '|';
      if (parsed.plan().count) all += "(" + std::to_string(listed->total.value()) + ")";
    } while (!position.empty() && all.size() < 200);
    return all;
  }
};

TEST_F(PageTest, LimitAndSkip) {
  EXPECT_EQ(ids("x", "{'limit':3}"), "0 1 2");
  EXPECT_EQ(ids("x", "{'skip':7}"), "7 8 9");
  EXPECT_EQ(ids("x", "{'skip':2,'limit':2}"), "2 3");
  EXPECT_EQ(ids("x", "{'limit':0,'skip':'8'}"), "8 9");
  EXPECT_EQ(ids("x", "{'limit':'2'}"), "0 1");
  EXPECT_EQ(ids("x", "{'skip':10}"), "");
  EXPECT_EQ(ids("x", "{'skip':9223372036854775807,'limit':9223372036854775807}"), "");
  EXPECT_EQ(ids("x", "{'orderBy':'-id','skip':'9223372036854775807','limit':1}"), "");
  EXPECT_EQ(ids("x", "{'orderBy':'-id','limit':9223372036854775807,'skip':8}"), "1 0");
  EXPECT_EQ(ids("x", "{'orderBy':['n','-s'],'skip':1,'limit':4}"), "0 8 3 1");
}

TEST_F(PageTest, WhatIsNoNumberIsRefused) {
  for (const std::string key : {"limit", "skip"}) {
    for (const std::string value : {"-1", "1.0", "1e1", "9223372036854775808", "'-1'", "''", "' 1'",
                                    "'x'", "null", "true", "[]", "'99999999999999999999'"}) {
      EXPECT_TRUE(ids("x", "{'" + key + "':" + value + "}").starts_with("! " + key + ": "))
          << value;
    }
  }
}

TEST_F(PageTest, CountIsOfAllThatMatchBeforeLimitAndSkip) {
  ids("x", "{'count':true,'limit':2,'skip':1}");
  EXPECT_EQ(page.total, 10u);
  ids("x", "{'count':true,'limit':2,'where':{'s':'a'}}");
  EXPECT_EQ(page.total, 4u);
  ids("x", "{'count':true,'where':{'s':'z'},'orderBy':'n'}");
  EXPECT_EQ(page.total, 0u);
  ids("x", "{'count':true,'where':{'s':'b'},'orderBy':'n','limit':1}");
  EXPECT_EQ(page.total, 3u);
  ids("x", "{'count':false}");
  EXPECT_EQ(page.total, std::nullopt);
  ids("nothing", "{'count':true}");
  EXPECT_EQ(page.total, 0u);
  EXPECT_TRUE(ids("x", "{'count':1}").starts_with("! count: "));
  EXPECT_TRUE(ids("x", "{'count':null}").starts_with("! count: "));
}

TEST_F(PageTest, PagesContinueOneAnother) {
  EXPECT_EQ(pages("{'limit':4}"), "0123|4567|89");
  EXPECT_EQ(pages("{'limit':5}"), "01234|56789");
  EXPECT_EQ(pages("{'limit':10}"), "0123456789");
  EXPECT_EQ(pages("{'limit':3,'skip':2}"), "234|567|89");
  EXPECT_EQ(pages("{'limit':2,'where':{'s':'a'}}"), "03|69");
  EXPECT_EQ(pages("{'limit':3,'where':{'s':'a'}}"), "036|9");
  EXPECT_EQ(pages("{'limit':3,'where':{'s':'a'},'count':true}"), "036|(4)9(4)");
  EXPECT_EQ(pages("{'limit':6,'count':true}"), "012345|(10)6789(10)");
  EXPECT_EQ(pages("{}"), "0123456789");
  EXPECT_EQ(pages("{'skip':3}"), "3456789");
}

TEST_F(PageTest, OrderedPagesContinueBehindTheLastValues) {
  EXPECT_EQ(pages("{'orderBy':'n'}"), "0538164927");
  EXPECT_EQ(pages("{'orderBy':'n','limit':3}"), "053|816|492|7");
  EXPECT_EQ(pages("{'orderBy':'n','limit':3,'skip':1}"), "538|164|927");
  EXPECT_EQ(pages("{'orderBy':'-n','limit':4}"), "2749|1638|05");
  EXPECT_EQ(pages("{'orderBy':['s','-n'],'limit':1,'count':true}"),
            "9|(10)6|(10)3|(10)0|(10)7|(10)4|(10)1|(10)2|(10)8|(10)5(10)");
  EXPECT_EQ(pages("{'orderBy':'absent','limit':6}"), "012345|6789");
}

TEST_F(PageTest, EveryKindOfValueCanBeContinuedBehind) {
  put("x", "{'id':'a','n':null}");
  put("x", "{'id':'b'}");
  put("x", "{'id':'c','n':true}");
  put("x", "{'id':'d','n':[1]}");
  put("x", "{'id':'e','n':{'a':1}}");
  put("x", "{'id':'f','n':'te\\u0078t'}");
  put("x", "{'id':'g','n':false}");
  EXPECT_EQ(pages("{'orderBy':'n','limit':1}"), "a|b|g|c|0|5|3|8|1|6|4|9|2|7|f|d|e");
  EXPECT_EQ(pages("{'orderBy':['-n'],'limit':2}"), "de|f2|74|91|63|80|5c|ga|b");
}

TEST_F(PageTest, NothingIsSkippedOrRepeatedBecauseDocumentsCameOrWent) {
  const auto query =
      Query::parse(quoted("{'orderBy':'n','limit':3,'select':'id'}"), "x", false, limits).value();
  std::string out;
  const auto first = list(view, "x", query, "", limits, out).value();
  EXPECT_EQ(apostrophes(out), "[{'id':'0'},{'id':'5'},{'id':'3'}]");
  view.remove("x", "3");           // the last of the page
  put("x", "{'id':'new','n':0}");  // before the page's end
  put("x", "{'id':'tie','n':1}");  // ties with it, behind
  view.remove("x", "8");
  out.clear();
  const auto second = list(view, "x", query, first.next, limits, out).value();
  EXPECT_EQ(apostrophes(out), "[{'id':'tie'},{'id':'1'},{'id':'6'}]");
  EXPECT_FALSE(second.next.empty());
}

TEST_F(PageTest, ACursorBelongsToItsQuery) {
  const auto query = [&](std::string_view text, std::string_view collection = "x") {
    return Query::parse(quoted(text), collection, false, limits).value();
  };
  const Query asked = query("{'limit':3,'orderBy':'n'}");
  std::string out;
  const std::string next = list(view, "x", asked, "", limits, out).value().next;
  ASSERT_FALSE(next.empty());
  for (const Query& other :
       {query("{'limit':3}"), query("{'limit':3,'orderBy':'-n'}"),
        query("{'limit':3,'orderBy':'n'}", "y"), query("{'limit':3,'orderBy':'n','where':{}}")}) {
    const auto listed = list(view, "x", other, next, limits, out);
    ASSERT_FALSE(listed);
    EXPECT_EQ(listed.error().code, Errc::invalid);
    EXPECT_EQ(listed.error().field, "after");
  }
  for (const std::string bad : {"x", "[]", "[1]", "{}", "[1,2,3]", "[,"}) {
    EXPECT_FALSE(list(view, "x", asked, bad, limits, out)) << bad;
  }
  EXPECT_TRUE(list(view, "x", query(" { 'orderBy' : 'n', 'after' : 'abc', 'limit' : 3 } "), next,
                   limits, out));
}

TEST_F(PageTest, TheLengthOfACursorDoesNotTellHowManyDocumentsThereWereBefore) {
  put("y", "{'id':'1'}");
  put("y", "{'id':'2'}");
  ids("y", "{'limit':1}");
  const std::size_t length = page.next.size();
  for (int i = 10; i < 200; ++i) put("y", "{'id':" + std::to_string(i) + "}");
  view.remove("y", "1");
  for (int i = 10; i < 198; ++i) view.remove("y", std::to_string(i));
  view.remove("y", "2");
  EXPECT_EQ(ids("y", "{'limit':1}"), "198");
  EXPECT_EQ(page.next.size(), length);
}

TEST_F(PageTest, APageWhoseCursorWouldBeTooLongHasNoNext) {
  put("x", "{'id':'long','s':'" + std::string(2000, '0') + "'}");
  ids("x", "{'orderBy':'s','limit':1}");
  EXPECT_EQ(page.next, "");
  put("x", "{'id':'long','s':'" + std::string(1400, '0') + "'}");
  ids("x", "{'orderBy':'s','limit':1}");
  EXPECT_NE(page.next, "");
  EXPECT_LE((page.next.size() + 28 + 2) / 3 * 4, limits.cursor_size);
}

TEST_F(PageTest, ManyDocumentsAreOrderedAsIfAllOfThemHadBeenSorted) {
  for (int i = 0; i < 5'000; ++i) {
    put("y", "{'id':" + std::to_string(i) + ",'n':" + std::to_string(i * 7919 % 1000) + "}");
  }
  const std::string all = ids("y", "{'orderBy':['-n']}");
  const auto cut = [&](std::size_t from, std::size_t count) {
    std::size_t begin = 0;
    for (; from > 0; --from) begin = all.find(' ', begin) + 1;
    std::size_t end = begin;
    for (; count > 0; --count) end = all.find(' ', end + 1);
    return all.substr(begin, end - begin);
  };
  EXPECT_EQ(ids("y", "{'orderBy':'-n','limit':7}"), cut(0, 7));
  EXPECT_EQ(ids("y", "{'orderBy':'-n','limit':20,'skip':990}"), cut(990, 20));
  EXPECT_EQ(ids("y", "{'orderBy':'-n','limit':1,'skip':3000}"), cut(3000, 1));
}

}  // namespace
}  // namespace doctor::query
