#include "doctor/store/store.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "doctor/document/names.hpp"
#include "doctor/store/test_documents.hpp"

namespace doctor::store {
namespace {

using document::Change;
using document::ChangeKind;
using document::CollectionNumber;
using document::Revision;

class StoreTest : public testing::Test {
 protected:
  StoreTest() { open(); }

  void open() {
    auto opened = Store::open({directory_.path(), 1u << 30, 1u << 20});
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }
  void reopen() {
    store_ = nullptr;
    open();
  }
  std::unique_ptr<WriteTransaction> begin() { return store_->begin().value(); }

  void put(std::string_view collection, const Texts& texts) {
    const auto done = store::put(*store_, collection, texts);
    ASSERT_TRUE(done) << done.error().detail;
  }
  void remove(std::string_view collection, std::string_view id) {
    ASSERT_TRUE(store::remove(*store_, collection, id));
  }

  TestDirectory directory_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, ANewStoreIsEmptyAtRevisionZero) {
  EXPECT_EQ(store_->revision(), Revision{0});
  EXPECT_TRUE(store_->snapshot()->collections().empty());
  EXPECT_EQ(store_->snapshot()->collection("vm"), std::nullopt);
  store_ = nullptr;
  EXPECT_EQ(faults_of(directory_.path()), no_faults);
}

TEST_F(StoreTest, WhatWasCommittedIsThereAfterReopening) {
  put("vm", {R"({"id":"a","n":1})", R"({"id":"b"})"});
  const std::string id = store_->identity().id;
  const Key key = store_->identity().cursor_key;
  reopen();
  EXPECT_EQ(store_->revision(), Revision{1});
  EXPECT_EQ(texts(*store_->snapshot(), "vm"), (Texts{R"({"id":"a","n":1})", R"({"id":"b"})"}));
  EXPECT_EQ(store_->identity().id, id);
  EXPECT_EQ(store_->identity().cursor_key, key);
  EXPECT_EQ(id.size(), 8u);
}

TEST_F(StoreTest, ATransactionThatIsNotCommittedLeavesNothing) {
  {
    auto transaction = begin();
    ASSERT_TRUE(store::put(*transaction, "vm", {R"({"id":"a"})"}));
    EXPECT_EQ(transaction->revision(), Revision{1});
  }
  EXPECT_EQ(store_->revision(), Revision{0});
  EXPECT_EQ(store_->snapshot()->collection("vm"), std::nullopt);
  put("host", {R"({"id":"h"})"});
  EXPECT_EQ(store_->snapshot()->collections().size(), 1u);
}

TEST_F(StoreTest, ASnapshotShowsOneRevisionHoweverMuchIsWritten) {
  put("vm", {R"({"id":"a","n":1})"});
  const auto snapshot = store_->snapshot();
  const auto walk = snapshot->walk(*snapshot->collection("vm"));
  put("vm", {R"({"id":"a","n":2})", R"({"id":"b"})"});
  put("host", {R"({"id":"h"})"});
  EXPECT_EQ(snapshot->revision(), Revision{1});
  EXPECT_EQ(walk->next()->document.text(), R"({"id":"a","n":1})");
  EXPECT_FALSE(walk->next());
  EXPECT_EQ(snapshot->collection("host"), std::nullopt);
  EXPECT_EQ(snapshot->info(*snapshot->collection("vm")).count, 1u);
  EXPECT_EQ(store_->snapshot()->revision(), Revision{3});
}

TEST_F(StoreTest, DocumentsComeInCreationOrderAndKeepTheirPlace) {
  put("vm", {R"({"id":"z"})", R"({"id":"a"})"});
  put("host", {R"({"id":"h"})"});
  put("vm", {R"({"id":"m"})", R"({"id":"z","n":1})"});
  EXPECT_EQ(texts(*store_->snapshot(), "vm"),
            (Texts{R"({"id":"z","n":1})", R"({"id":"a"})", R"({"id":"m"})"}));
  remove("vm", "z");
  put("vm", {R"({"id":"z"})"});
  EXPECT_EQ(texts(*store_->snapshot(), "vm"),
            (Texts{R"({"id":"a"})", R"({"id":"m"})", R"({"id":"z"})"}));
}

TEST_F(StoreTest, AWalkCanBeginAtANumberAndStaysInItsCollection) {
  put("a", {R"({"id":"1"})", R"({"id":"2"})", R"({"id":"3"})"});
  put("b", {R"({"id":"4"})"});
  const auto snapshot = store_->snapshot();
  const auto a = *snapshot->collection("a");
  const auto second = snapshot->find(a, "2");
  auto walk = snapshot->walk(a, second->number);
  EXPECT_EQ(walk->next()->document.id(), "2");
  EXPECT_EQ(walk->next()->document.id(), "3");
  EXPECT_FALSE(walk->next());
  EXPECT_FALSE(walk->next());
}

TEST_F(StoreTest, IdsOfOneTextInTwoCollectionsAreTwoDocuments) {
  put("vm", {R"({"id":"1","x":"vm"})"});
  put("host", {R"({"id":"1","x":"host"})"});
  const auto snapshot = store_->snapshot();
  EXPECT_EQ(snapshot->find(*snapshot->collection("vm"), "1")->document.text(),
            R"({"id":"1","x":"vm"})");
  EXPECT_EQ(snapshot->find(*snapshot->collection("host"), "1")->document.text(),
            R"({"id":"1","x":"host"})");
  EXPECT_FALSE(snapshot->find(*snapshot->collection("host"), "2"));
  EXPECT_FALSE(snapshot->find(*snapshot->collection("host"), ""));
  EXPECT_FALSE(snapshot->find(*snapshot->collection("host"), std::string(10'000, 'x')));
  EXPECT_EQ(snapshot->collection(std::string(10'000, 'x')), std::nullopt);
  EXPECT_EQ(snapshot->collection(""), std::nullopt);
}

TEST_F(StoreTest, CollectionsAreListedByNameIfTheyHaveADocumentAndSessionsNever) {
  put("vm", {R"({"id":"1"})"});
  put("cluster", {R"({"id":"1"})", R"({"id":"2"})"});
  put(document::sessions_collection, {R"({"id":"s"})"});
  put("empty", {R"({"id":"1"})"});
  remove("empty", "1");
  const auto collections = store_->snapshot()->collections();
  ASSERT_EQ(collections.size(), 2u);
  EXPECT_EQ(collections[0].name, "cluster");
  EXPECT_EQ(collections[0].count, 2u);
  EXPECT_EQ(collections[0].revision, Revision{2});
  EXPECT_EQ(collections[1].name, "vm");
  const auto snapshot = store_->snapshot();
  EXPECT_EQ(snapshot->info(*snapshot->collection("empty")).revision, Revision{5});
  EXPECT_TRUE(snapshot->collection(document::sessions_collection));
}

TEST_F(StoreTest, OneTransactionMakesSeveralRevisions) {
  auto transaction = begin();
  ASSERT_TRUE(store::put(*transaction, "vm", {R"({"id":"a"})"}));
  ASSERT_TRUE(store::put(*transaction, "vm", {R"({"id":"a","n":1})"}));
  EXPECT_EQ(transaction->info(*transaction->collection("vm")).count, 1u);
  EXPECT_EQ(transaction->collections().front().revision, Revision{2});
  ASSERT_TRUE(transaction->commit());
  const auto snapshot = store_->snapshot();
  EXPECT_EQ(snapshot->find(*snapshot->collection("vm"), "a")->document.revision(), Revision{2});
  EXPECT_EQ(snapshot->log(Revision{0}, 1'000)->size(), 2u);
}

TEST_F(StoreTest, DocumentsAndIdsOfAllSizesAreKept) {
  Texts all;
  for (std::size_t size = 1; size <= 255; size += 7) {
    all.push_back(R"({"id":")" + std::string(size, 'i') + R"(","v":")" +
                  std::string(size * size, 'x') + R"("})");
  }
  all.push_back(R"({"id":"large","v":")" + std::string(3u << 20, 'x') + R"("})");
  put("vm", all);
  put("vm", {R"({"id":"large"})"});
  all.back() = R"({"id":"large"})";
  reopen();
  EXPECT_EQ(texts(*store_->snapshot(), "vm"), all);
  store_ = nullptr;
  EXPECT_EQ(faults_of(directory_.path()), no_faults);
}

TEST_F(StoreTest, ThereCanBeNoMoreCollectionsThanTheLimit) {
  Limits limits;
  limits.collections = 2;
  auto transaction = begin();
  EXPECT_TRUE(transaction->make_collection("a", limits));
  EXPECT_TRUE(transaction->make_collection("b", limits));
  const auto third = transaction->make_collection("c", limits);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::invalid);
  EXPECT_NE(third.error().detail.find("`collections`"), std::string::npos);
  EXPECT_TRUE(transaction->make_collection("a", limits));
  ASSERT_TRUE(store::put(*transaction, "a", {R"({"id":"1"})"}));
  EXPECT_TRUE(transaction->commit());
}

TEST_F(StoreTest, ThePoolServesManySnapshotsAtATime) {
  put("vm", {R"({"id":"a"})"});
  std::vector<std::unique_ptr<Snapshot>> snapshots;
  for (int i = 0; i < 1'000; ++i) snapshots.push_back(store_->snapshot());
  for (const auto& snapshot : snapshots) EXPECT_EQ(snapshot->revision(), Revision{1});
}

TEST_F(StoreTest, AReaderNeverSeesHalfACommitNorGoesBack) {
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> announced{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::uint64_t last = 0;
      while (!done) {
        const std::uint64_t told = announced;
        const auto snapshot = store_->snapshot();
        const std::uint64_t revision = snapshot->revision().value;
        EXPECT_GE(revision, last);
        EXPECT_GE(revision, told);
        EXPECT_GE(store_->revision().value, revision);
        last = revision;
        // Every commit sets both documents to its own revision.
        const std::string n = R"("n":)" + std::to_string(revision) + "}";
        for (const std::string& text : texts(*snapshot, "vm")) {
          EXPECT_TRUE(text.ends_with(n)) << text << " at " << revision;
        }
      }
    });
  }
  for (std::uint64_t revision = 1; revision <= 300; ++revision) {
    const std::string n = R"(,"n":)" + std::to_string(revision) + "}";
    put("vm", {R"({"id":"a")" + n, R"({"id":"b")" + n});
    announced = revision;
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

// The log.

TEST_F(StoreTest, TheLogTellsWhatEachCommitChanged) {
  put("vm", {R"({"id":"a"})"});
  auto transaction = begin();
  const std::vector<Change> changes = {{ChangeKind::created, "vm", "n", {}},
                                       {ChangeKind::updated, "vm", "a", {"x", "y,z", ""}},
                                       {ChangeKind::removed, "vm", "r", {}},
                                       {ChangeKind::created, "$sessions", "s", {}}};
  ASSERT_TRUE(transaction->append(Revision{2}, Timestamp{-5}, changes));
  ASSERT_TRUE(transaction->commit());
  const auto log = store_->snapshot()->log(Revision{1}, 1);
  ASSERT_TRUE(log);
  ASSERT_EQ(log->size(), 1u);
  EXPECT_EQ(log->front().revision, Revision{2});
  EXPECT_EQ(log->front().time, Timestamp{-5});
  ASSERT_EQ(log->front().changes.size(), changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    EXPECT_EQ(log->front().changes[i].kind, changes[i].kind);
    EXPECT_EQ(log->front().changes[i].collection, changes[i].collection);
    EXPECT_EQ(log->front().changes[i].id, changes[i].id);
    EXPECT_EQ(log->front().changes[i].fields, changes[i].fields);
  }
}

TEST_F(StoreTest, TheLogIsReadInPiecesOfABoundedSize) {
  for (int i = 0; i < 10; ++i) put("vm", {R"({"id":")" + std::to_string(i) + R"("})"});
  const auto snapshot = store_->snapshot();
  EXPECT_EQ(snapshot->log(Revision{0}, 1)->size(), 1u);  // at least one
  EXPECT_EQ(snapshot->log(Revision{0}, 1'000'000)->size(), 10u);
  EXPECT_EQ(snapshot->log(Revision{7}, 1'000'000)->front().revision, Revision{8});
  EXPECT_TRUE(snapshot->log(Revision{10}, 1)->empty());
  EXPECT_TRUE(snapshot->log(Revision{11}, 1)->empty());
  const std::size_t some = snapshot->log(Revision{0}, 60)->size();
  EXPECT_GT(some, 1u);
  EXPECT_LT(some, 10u);
}

TEST_F(StoreTest, ALargeCommitOfTheLogIsReadInParts) {
  put("vm", {R"({"id":"a"})"});
  auto transaction = begin();
  std::vector<Change> changes;
  for (int i = 0; i < 10; ++i) {
    changes.push_back({ChangeKind::updated, i < 7 ? "vm" : "$sessions", std::to_string(i), {"x"}});
  }
  ASSERT_TRUE(transaction->append(Revision{2}, Timestamp{-5}, changes));
  ASSERT_TRUE(transaction->append(Revision{3}, Timestamp{-5}, {}));
  ASSERT_TRUE(transaction->commit());
  const auto snapshot = store_->snapshot();
  std::uint64_t from = 0;
  std::vector<std::size_t> sizes;
  std::string heard;
  for (bool last = false; !last;) {
    const auto part = snapshot->log_part(Revision{2}, from, 4);
    ASSERT_TRUE(part) << part.error().detail;
    sizes.push_back(part->changes.size());
    for (const Change& change : part->changes) heard += change.collection + change.id + " ";
    from = part->next;
    last = part->last;
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{4, 4, 2}));
  EXPECT_EQ(heard, "vm0 vm1 vm2 vm3 vm4 vm5 vm6 $sessions7 $sessions8 $sessions9 ");
  EXPECT_TRUE(snapshot->log_part(Revision{2}, 0, 10)->last);
  EXPECT_TRUE(snapshot->log_part(Revision{3}, 0, 10)->last) << "a commit without changes";
  EXPECT_TRUE(snapshot->log_part(Revision{3}, 0, 10)->changes.empty());
  EXPECT_EQ(snapshot->log_part(Revision{4}, 0, 10).error().code, Errc::not_found);
  EXPECT_EQ(snapshot->log_part(Revision{2}, 12, 10).error().code, Errc::internal)
      << "a place that is none";
}

TEST_F(StoreTest, TheLogIsTrimmedByAgeAndSizeInSteps) {
  for (int i = 0; i < 10; ++i) put("vm", {R"({"id":")" + std::to_string(i) + R"("})"});
  const auto trim = [&](Timestamp oldest, std::uint64_t bytes, std::size_t entries) {
    auto transaction = begin();
    ASSERT_TRUE(transaction->trim_log(oldest, bytes, entries));
    ASSERT_TRUE(transaction->commit());
  };
  trim(noon, 1u << 20, 100);  // not older than noon, and not too large
  EXPECT_TRUE(store_->snapshot()->log(Revision{0}, 1));
  trim(Timestamp{noon.value + 1}, 1u << 20, 3);
  EXPECT_EQ(store_->snapshot()->log(Revision{0}, 1).error().code, Errc::not_found);
  EXPECT_EQ(store_->snapshot()->log(Revision{2}, 1).error().code, Errc::not_found);
  EXPECT_EQ(store_->snapshot()->log(Revision{3}, 1'000)->size(), 7u);
  trim(Timestamp{0}, 40, 100);
  EXPECT_LT(store_->snapshot()->log(Revision{8}, 1'000)->size(), 7u);
  trim(Timestamp{noon.value + 1}, 0, 100);
  EXPECT_EQ(store_->snapshot()->log(Revision{9}, 1'000)->size(), 1u);  // the newest stays
  reopen();
  EXPECT_EQ(store_->revision(), Revision{10});
  store_ = nullptr;
  EXPECT_EQ(faults_of(directory_.path()), no_faults);
}

}  // namespace
}  // namespace doctor::store
