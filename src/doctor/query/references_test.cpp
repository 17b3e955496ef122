// What a query asks of its view: each document once, a collection that refers here once, or an
// index instead.

#include "doctor/query/references.hpp"

#include <gtest/gtest.h>

#include "doctor/query/questions.hpp"

namespace doctor::query {
namespace {

using document::CollectionNumber;
using document::DocumentNumber;
using document::View;

// Counts what is asked of another view; with `indexed` it answers for reverse references.
class Watched final : public View {
 public:
  explicit Watched(const View& view) : view_(view) {}

  document::Revision revision() const override { return view_.revision(); }
  std::optional<CollectionNumber> collection(std::string_view name) const override {
    return view_.collection(name);
  }
  std::vector<document::CollectionInfo> collections() const override { return view_.collections(); }
  document::CollectionInfo info(CollectionNumber collection) const override {
    return view_.info(collection);
  }
  std::optional<Entry> find(CollectionNumber collection, std::string_view id) const override {
    ++finds;
    return view_.find(collection, id);
  }
  std::unique_ptr<document::Walk> walk(CollectionNumber collection,
                                       DocumentNumber from) const override {
    ++walks;
    return view_.walk(collection, from);
  }
  std::optional<std::vector<Entry>> referrers(CollectionNumber collection, const FieldName& field,
                                              std::string_view target) const override {
    ++wishes;
    if (!indexed) return std::nullopt;
    std::vector<Entry> found;
    const auto walk = view_.walk(collection);
    while (const auto entry = walk->next()) {
      const auto value = entry->document.find(field);
      if (value && json::is_string(*value) && json::content(*value) == target) {
        found.push_back(*entry);
      }
    }
    return found;
  }

  bool indexed = false;
  mutable int finds = 0;
  mutable int walks = 0;
  mutable int wishes = 0;

 private:
  const View& view_;
};

class ReferencesTest : public testing::Test, protected Questions {
 protected:
  ReferencesTest() {
    put("dc", "{'id':'d','name':'DC'}");
    put("template", "{'id':'blank'}");
    put("cluster", "{'id':'c0','dc':'d','name':'one'}");
    put("cluster", "{'id':'c1','dc':'d','name':'two'}");
    for (int i = 0; i < 100; ++i) {
      put("vm", "{'id':'v" + std::to_string(i) + "','cluster':'c" + std::to_string(i % 2) +
                    "','template':'gone'}");
    }
  }

  std::string ask_watched(std::string_view collection, std::string_view query) {
    const auto parsed = Query::parse(quoted(query), collection, false, limits).value();
    std::string out;
    EXPECT_TRUE(list(watched, collection, parsed, "", limits, out));
    return out;
  }

  Watched watched{view};
};

TEST_F(ReferencesTest, AReferenceMetManyTimesIsLookedUpOnce) {
  ask_watched("vm",
              "{'select':['@cluster.name','id','@cluster.@dc.name','@template.name'],"
              "'where':{'@cluster.name':'*','@template.name':null},'orderBy':'@cluster.@dc.name'}");
  EXPECT_EQ(watched.finds, 4);  // two clusters, a data center, and one that is not there
  EXPECT_EQ(watched.walks, 1);
}

TEST_F(ReferencesTest, WhoRefersHereIsFoundInOneWalkForAllWhoAreAsked) {
  ask_watched("cluster",
              "{'select':['@[vm].id',{'many_ref':'vm','limit':1}],"
              "'where':{'@[vm].id':'v*'}}");
  EXPECT_EQ(watched.walks, 2);
  EXPECT_EQ(watched.finds, 0);
  EXPECT_EQ(watched.wishes, 1);  // noted once
}

TEST_F(ReferencesTest, AnIndexIsAskedOnceForEachTargetAndChangesNoAnswer) {
  const char* const query =
      "{'select':['@[vm].id',{'many_ref':'vm','limit':2,'skip':1,'orderBy':'-id','select':['*'],"
      "'as':'x'}],'where':{'@[vm].id':'v*'}}";
  const std::string scanned = ask_watched("cluster", query);
  watched.indexed = true;
  watched.wishes = watched.walks = 0;
  EXPECT_EQ(ask_watched("cluster", query), scanned);
  EXPECT_EQ(watched.wishes, 2);
  EXPECT_EQ(watched.walks, 1);
}

TEST_F(ReferencesTest, WhatIsRememberedIsBoundedAndChangesNoAnswer) {
  // Each of these is remembered by itself, as a field stands between.
  std::string select = "'id'";
  for (int i = 0; i < 50; ++i) {
    const std::string number = std::to_string(i);
    select += ",{'ref':'cluster','select':'name','as':'c" + number + "'},{'field':'id','as':'i" +
              number + "'}";
  }
  const std::string query = "{'select':[" + select + "],'limit':4}";
  const std::string answer = ask_watched("vm", query);
  limits.query_documents = 20;
  EXPECT_EQ(ask_watched("vm", query), answer);
}

TEST_F(ReferencesTest, WhatTheViewDoesNotShowDoesNotExist) {
  const auto permissions =
      document::Permissions::parse(R"({"vm":["v0","v1","v2"],"cluster":"c0"})").value();
  const document::PermittedView permitted(view, permissions);
  const auto answer = [&](std::string_view collection, std::string_view query) {
    const auto parsed = Query::parse(quoted(query), collection, false, limits).value();
    std::string out;
    page = list(permitted, collection, parsed, "", limits, out).value();
    return apostrophes(out);
  };
  limits.query_documents = 10;  // of a hundred documents that others may see
  EXPECT_EQ(answer("vm", "{'select':['id','@cluster.name'],'count':true,'orderBy':'@cluster.id'}"),
            "[{'id':'v1'},{'id':'v0','@cluster.name':'one'},{'id':'v2','@cluster.name':'one'}]");
  EXPECT_EQ(page.total, 3u);
  EXPECT_EQ(answer("cluster", "{'select':['@[vm].id','@dc']}"), "[{'@[vm].id':['v0','v2']}]");
  EXPECT_EQ(answer("vm", "{'select':'id','where':{'@cluster':{'$exists':false}}}"),
            "[{'id':'v1'}]");
  EXPECT_EQ(answer("vm", "{'select':'id','where':{'@cluster.name':{'$ne':'one'}},'count':true}"),
            "[{'id':'v1'}]");
  EXPECT_EQ(answer("dc", "{'count':true}"), "[]");
  EXPECT_EQ(page.total, 0u);
  std::string out;
  EXPECT_EQ(one(permitted, "vm", "v3", Query(), limits, out).error().detail,
            one(permitted, "vm", "v999", Query(), limits, out).error().detail);
}

TEST_F(ReferencesTest, AValueIsAReferenceIfItIsAStringOrAnInteger) {
  for (const char* good : {"\"\"", "\"x\"", "1", "-0", "123456789012345678901234567890"}) {
    EXPECT_TRUE(References::is_reference(good)) << good;
  }
  for (const char* bad : {"1.0", "1e1", "-1E0", "true", "null", "[]", "{}", "[1]"}) {
    EXPECT_FALSE(References::is_reference(bad)) << bad;
  }
}

}  // namespace
}  // namespace doctor::query
