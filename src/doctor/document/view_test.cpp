#include "doctor/document/view.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/document/memory_view.hpp"

namespace doctor::document {
namespace {

using Ids = std::vector<std::string>;

Ids ids(const View& view, std::string_view collection, DocumentNumber from = DocumentNumber{0}) {
  Ids found;
  const auto walk = view.walk(view.collection(collection).value(), from);
  while (const auto entry = walk->next()) found.push_back(entry->document.id());
  EXPECT_FALSE(walk->next());
  return found;
}

// An index over what it is told, as the store would have.
class IndexedView final : public View {
 public:
  explicit IndexedView(const View& view) : view_(view) {}
  Revision revision() const override { return view_.revision(); }
  std::optional<CollectionNumber> collection(std::string_view name) const override {
    return view_.collection(name);
  }
  std::vector<CollectionInfo> collections() const override { return view_.collections(); }
  CollectionInfo info(CollectionNumber collection) const override { return view_.info(collection); }
  std::optional<Entry> find(CollectionNumber collection, std::string_view id) const override {
    return view_.find(collection, id);
  }
  std::unique_ptr<Walk> walk(CollectionNumber collection, DocumentNumber from) const override {
    return view_.walk(collection, from);
  }
  std::optional<std::vector<Entry>> referrers(CollectionNumber collection, const FieldName& field,
                                              std::string_view target) const override {
    ++asked;
    std::vector<Entry> found;
    const auto walk = view_.walk(collection);
    while (const auto entry = walk->next()) {
      if (entry->document.find(field) == "\"" + std::string(target) + "\"") found.push_back(*entry);
    }
    return found;
  }

  mutable int asked = 0;

 private:
  const View& view_;
};

class PermittedViewTest : public testing::Test {
 protected:
  PermittedViewTest() {
    for (const char* id : {"3", "1", "2", "*"}) {
      all.put("vm", std::string(R"({"id":")") + id + R"(","host":"h"})");
      all.put("host", std::string(R"({"id":")") + id + R"("})");
    }
    all.put("disk", R"({"id":"1"})");
    all.put(sessions_collection, R"({"id":"s"})");
  }

  // As (name, count).
  std::vector<std::pair<std::string, std::uint64_t>> seen(const View& view) const {
    std::vector<std::pair<std::string, std::uint64_t>> found;
    for (const CollectionInfo& info : view.collections()) found.emplace_back(info.name, info.count);
    return found;
  }

  MemoryView all;
};

TEST_F(PermittedViewTest, ForEverythingIsTheViewItself) {
  const auto permissions = Permissions::everything();
  const PermittedView view(all, permissions);
  EXPECT_EQ(ids(view, "vm"), (Ids{"3", "1", "2", "*"}));
  EXPECT_EQ(ids(view, "vm", DocumentNumber{2}), (Ids{"2", "*"}));
  EXPECT_EQ(view.revision(), all.revision());
  using Seen = std::vector<std::pair<std::string, std::uint64_t>>;
  EXPECT_EQ(seen(view), (Seen{{"disk", 1}, {"host", 4}, {"vm", 4}}));
}

TEST_F(PermittedViewTest, ShowsListedDocumentsInCreationOrder) {
  const auto permissions = Permissions::parse(R"({"vm":["2",3,"absent"],"host":"*"})").value();
  const PermittedView view(all, permissions);
  const auto vm = view.collection("vm").value();
  EXPECT_EQ(ids(view, "vm"), (Ids{"3", "2"}));
  EXPECT_EQ(ids(view, "vm", DocumentNumber{1}), Ids{"2"});
  EXPECT_EQ(ids(view, "host"), (Ids{"3", "1", "2", "*"}));
  EXPECT_EQ(ids(view, "disk"), Ids{});
  EXPECT_TRUE(view.find(vm, "3"));
  EXPECT_FALSE(view.find(vm, "1"));
  EXPECT_FALSE(view.find(vm, "absent"));
  EXPECT_FALSE(view.find(view.collection("disk").value(), "1"));
  EXPECT_FALSE(view.collection("never"));
}

TEST_F(PermittedViewTest, CountsOnlyWhatItShows) {
  const auto permissions =
      Permissions::parse(R"({"vm":["2",3,"absent"],"host":["x"],"none":"*"})").value();
  const PermittedView view(all, permissions);
  using Seen = std::vector<std::pair<std::string, std::uint64_t>>;
  EXPECT_EQ(seen(view), (Seen{{"vm", 2}}));
  EXPECT_EQ(view.info(view.collection("vm").value()).count, 2u);
  EXPECT_EQ(view.info(view.collection("host").value()).count, 0u);
  EXPECT_EQ(view.info(view.collection("vm").value()).name, "vm");
}

TEST_F(PermittedViewTest, OfNothingShowsNothing) {
  const Permissions none;
  const PermittedView view(all, none);
  EXPECT_TRUE(view.collections().empty());
  EXPECT_EQ(ids(view, "vm"), Ids{});
  EXPECT_EQ(view.info(view.collection("vm").value()).count, 0u);
}

TEST_F(PermittedViewTest, SessionsAreNeverAmongItsCollections) {
  const auto permissions = Permissions::everything();
  for (const CollectionInfo& info : PermittedView(all, permissions).collections()) {
    EXPECT_NE(info.name, sessions_collection);
  }
}

TEST_F(PermittedViewTest, AnIndexShowsOnlyWhatMayBeRead) {
  const IndexedView indexed(all);
  const FieldName host("host");
  const auto referrers = [&](const Permissions& permissions) {
    const PermittedView view(indexed, permissions);
    Ids found;
    const auto entries = view.referrers(view.collection("vm").value(), host, "h").value();
    for (const Entry& entry : entries) {
      found.push_back(entry.document.id());
    }
    return found;
  };
  EXPECT_EQ(referrers(Permissions::everything()), (Ids{"3", "1", "2", "*"}));
  EXPECT_EQ(referrers(Permissions::parse(R"({"vm":["*","3","x"]})").value()), (Ids{"3", "*"}));
  const int asked = indexed.asked;
  EXPECT_EQ(referrers(Permissions::parse(R"({"host":"*"})").value()), Ids{});
  EXPECT_EQ(indexed.asked, asked);  // nor is an index wished for what nobody may see
}

TEST_F(PermittedViewTest, WithoutAnIndexTheCallerScans) {
  const auto permissions = Permissions::parse(R"({"vm":["3"]})").value();
  const PermittedView view(all, permissions);
  EXPECT_FALSE(view.referrers(view.collection("vm").value(), FieldName("host"), "h"));
}

// ---- the view in memory itself

TEST(MemoryView, KeepsCreationOrder) {
  MemoryView view;
  view.put("vm", R"({"id":"b"})");
  view.put("vm", R"({"id":"a"})");
  view.put("vm", R"({"id":"b","x":1})");
  EXPECT_EQ(ids(view, "vm"), (Ids{"b", "a"}));
  EXPECT_EQ(view.revision(), Revision(3));
  view.remove("vm", "b");
  view.put("vm", R"({"id":"b"})");
  EXPECT_EQ(ids(view, "vm"), (Ids{"a", "b"}));
  const auto vm = view.collection("vm").value();
  EXPECT_EQ(view.find(vm, "b")->document.revision(), Revision(5));
  EXPECT_EQ(view.info(vm).revision, Revision(5));
  view.remove("vm", "a");
  view.remove("vm", "b");
  EXPECT_TRUE(view.collections().empty());
  EXPECT_TRUE(view.collection("vm"));
}

}  // namespace
}  // namespace doctor::document
