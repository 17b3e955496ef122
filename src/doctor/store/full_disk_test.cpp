#include <atomic>
#include <cerrno>
#include <random>

#include <gtest/gtest.h>

#include "doctor/store/disk_shim.hpp"
#include "doctor/store/lmdb_shim.hpp"
#include "doctor/store/store.hpp"
#include "doctor/store/test_documents.hpp"

namespace doctor::store {
namespace {

using document::Revision;
using Kind = DiskCall::Kind;

class FullDiskTest : public testing::Test {
 protected:
  FullDiskTest() { open(); }
  void open(std::uint64_t map_size = 1u << 28, std::uint64_t reserve = 1u << 20) {
    store_ = nullptr;
    auto opened = Store::open({directory_.path(), map_size, reserve});
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }
  /// Puts a document while each call of this kind fails.
  Result<void> put_while_failing(Kind kind, int code, bool cut_short = false) {
    const DiskShim shim([=](const DiskCall& call) {
      return call.kind == kind ? DiskAnswer{code, cut_short} : DiskAnswer{};
    });
    return put(*store_, "vm", {R"({"id":"lost"})"});
  }
  void expect_only(const Texts& expected) { EXPECT_EQ(texts(*store_->snapshot(), "vm"), expected); }
  void expect_sound() {
    store_ = nullptr;
    EXPECT_EQ(faults_of(directory_.path()), no_faults);
  }

  TestDirectory directory_;
  std::unique_ptr<Store> store_;
};

// Page 6: "A commit that fails with ENOSPC or EDQUOT, at a write or a flush, is 507 and the next
// one is tried."
TEST_F(FullDiskTest, ACommitThatFindsNoRoomIsAsIfItHadNeverBegun) {
  ASSERT_TRUE(put(*store_, "vm", {R"({"id":"a"})"}));
  std::uint64_t revision = 1;
  for (const Kind kind : {Kind::pages, Kind::flush, Kind::meta}) {
    for (const int code : {ENOSPC, EDQUOT}) {
      const auto failed = put_while_failing(kind, code);
      ASSERT_FALSE(failed);
      EXPECT_EQ(failed.error().code, Errc::out_of_space) << failed.error().detail;
      EXPECT_NE(failed.error().detail.find(directory_.path().string()), std::string::npos);
      EXPECT_EQ(store_->revision(), Revision{revision});
      expect_only({R"({"id":"a"})"});

      const auto next = put(*store_, "other", {R"({"id":"a"})"});
      ASSERT_TRUE(next) << next.error().detail;
      EXPECT_EQ(store_->revision(), Revision{++revision});
    }
  }
  expect_sound();
}

TEST_F(FullDiskTest, SnapshotsGoOnWhenLmdbGivesItsFileUp) {
  ASSERT_TRUE(put(*store_, "vm", {R"({"id":"a"})"}));
  auto before = store_->snapshot();
  EXPECT_EQ(put_while_failing(Kind::meta, ENOSPC).error().code, Errc::out_of_space);
  auto after = store_->snapshot();
  EXPECT_EQ(texts(*before, "vm"), Texts{R"({"id":"a"})"});
  EXPECT_EQ(texts(*after, "vm"), Texts{R"({"id":"a"})"});
  EXPECT_EQ(after->revision(), Revision{1});

  // The file is opened anew once nobody looks at it; until then writes find no room.
  EXPECT_EQ(put(*store_, "vm", {R"({"id":"b"})"}).error().code, Errc::out_of_space);
  before = nullptr;
  EXPECT_EQ(put(*store_, "vm", {R"({"id":"b"})"}).error().code, Errc::out_of_space);
  EXPECT_EQ(texts(*after, "vm"), Texts{R"({"id":"a"})"});
  after = nullptr;
  ASSERT_TRUE(put(*store_, "vm", {R"({"id":"b"})"}));
  expect_only({R"({"id":"a"})", R"({"id":"b"})"});
  expect_sound();
}

// "After any other failed write or flush the store takes no more writes until restart."
TEST_F(FullDiskTest, AfterAnyOtherFailureTheStoreTakesNoWritesUntilItIsOpenedAgain) {
  ASSERT_TRUE(put(*store_, "vm", {R"({"id":"a"})"}));
  for (const Kind kind : {Kind::pages, Kind::flush, Kind::meta}) {
    auto held = store_->snapshot();
    EXPECT_EQ(put_while_failing(kind, EIO).error().code, Errc::unavailable);
    EXPECT_EQ(put(*store_, "vm", {R"({"id":"b"})"}).error().code, Errc::unavailable);
    EXPECT_EQ(texts(*held, "vm"), Texts{R"({"id":"a"})"});
    expect_only({R"({"id":"a"})"});
    EXPECT_EQ(store_->revision(), Revision{1});
    held = nullptr;
    open();
  }
  ASSERT_TRUE(put(*store_, "vm", {R"({"id":"b"})"}));
  expect_only({R"({"id":"a"})", R"({"id":"b"})"});
  expect_sound();
}

TEST_F(FullDiskTest, AWriteThatIsCutShortAlthoughThereIsRoomIsABrokenDisk) {
  EXPECT_EQ(put_while_failing(Kind::pages, 0, true).error().code, Errc::unavailable);
  EXPECT_EQ(put(*store_, "vm", {R"({"id":"b"})"}).error().code, Errc::unavailable);
  expect_sound();
}

// What LMDB has no room for is refused by itself, wherever in the transaction it finds out.
TEST_F(FullDiskTest, ATransactionThatLmdbHasNoRoomForFailsAloneAndTheNextGoesOn) {
  ASSERT_TRUE(put(*store_, "vm", {R"({"id":"a"})"}));
  for (const NoRoom cause : {NoRoom::in_transaction, NoRoom::in_map, NoRoom::in_memory}) {
    for (const LmdbCall call :
         {LmdbCall::begin, LmdbCall::put, LmdbCall::remove, LmdbCall::commit}) {
      for (const unsigned after : {0u, 1u}) {
        if (after > 0 && (call == LmdbCall::begin || call == LmdbCall::commit)) continue;
        const Revision before = store_->revision();
        {
          const LmdbShim shim(call, cause, after);
          const auto failed = call == LmdbCall::remove
                                  ? remove(*store_, "vm", "a")
                                  : put(*store_, "vm", {R"({"id":"lost"})", R"({"id":"too"})"});
          ASSERT_FALSE(failed);
          EXPECT_EQ(failed.error().code, Errc::out_of_space) << failed.error().detail;
          EXPECT_EQ(LmdbShim::failed(), 1u);
        }
        EXPECT_EQ(store_->revision(), before);
        expect_only({R"({"id":"a"})"});
        const auto next = put(*store_, "other", {R"({"id":"a"})"});
        ASSERT_TRUE(next) << next.error().detail;
      }
    }
  }
  expect_sound();
}

std::string large(const std::string& id, std::size_t size = 20'000) {
  return R"({"id":")" + id + R"(","v":")" + std::string(size, 'v') + R"("})";
}

/// Puts documents until there is no room; the number that fitted.
int fill(Store& store, Errc& last) {
  for (int i = 0;; ++i) {
    const auto done = put(store, "vm", {large(std::to_string(i))});
    if (done) continue;
    last = done.error().code;
    return i;
  }
}

// A map and a disk that are full behave alike: no more documents, but removals, and what they give
// back can be used again.
void expect_room_comes_back(Store& store) {
  Errc last{};
  const int fitted = fill(store, last);
  ASSERT_GT(fitted, 10);
  EXPECT_EQ(last, Errc::out_of_space);
  EXPECT_EQ(texts(*store.snapshot(), "vm").size(), static_cast<std::size_t>(fitted));
  EXPECT_EQ(put(store, "vm", {large("more")}).error().code, Errc::out_of_space);

  for (int i = 0; i < fitted; ++i) {
    auto done = remove(store, "vm", std::to_string(i));
    if (!done) done = remove(store, "vm", std::to_string(i), true);
    ASSERT_TRUE(done) << i << " of " << fitted << ": " << done.error().detail;
  }
  EXPECT_TRUE(texts(*store.snapshot(), "vm").empty());
  const int again = fill(store, last);
  EXPECT_EQ(last, Errc::out_of_space);
  EXPECT_GT(again, fitted * 3 / 4);
}

TEST_F(FullDiskTest, AFullMapRefusesDocumentsTakesRemovalsAndThenDocumentsAgain) {
  open(2u << 20);
  expect_room_comes_back(*store_);
  expect_sound();
}

TEST_F(FullDiskTest, AFullMapCanBeOpenedWithALargerOne) {
  open(2u << 20);
  Errc last{};
  fill(*store_, last);
  EXPECT_EQ(put(*store_, "vm", {large("more")}).error().code, Errc::out_of_space);
  open(4u << 20);
  EXPECT_TRUE(put(*store_, "vm", {large("more")}));
}

/// A disk of so many bytes, on which nothing is but a store.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path directory, std::uint64_t size)
      : directory_(std::move(directory)),
        size_(size),
        shim_([this](const DiskCall& call) { return answer(call); }) {}

  std::uint64_t used() const { return size_of("store.mdb") + size_of("reserve"); }
  void resize(std::uint64_t size) { size_ = size; }

 private:
  DiskAnswer answer(const DiskCall& call) const {
    const bool allocates = call.kind == DiskCall::Kind::allocate;
    if (!allocates && call.kind != DiskCall::Kind::pages) return {};
    const std::uint64_t now = size_of(allocates ? "reserve" : "store.mdb");
    const std::uint64_t then = std::max(now, call.offset + call.bytes.size());
    return {then > now && used() - now + then > size_ ? ENOSPC : 0};
  }
  std::uint64_t size_of(const char* name) const {
    std::error_code missing;
    const auto size = std::filesystem::file_size(directory_ / name, missing);
    return missing ? 0 : size;
  }

  const std::filesystem::path directory_;
  std::atomic<std::uint64_t> size_;
  const DiskShim shim_;
};

TEST_F(FullDiskTest, AFullDiskRefusesDocumentsTakesRemovalsAndThenDocumentsAgain) {
  store_ = nullptr;
  SmallDisk disk(directory_.path(), 6u << 20);
  open(1u << 28, 1u << 20);
  expect_room_comes_back(*store_);
  // Somebody else takes what is left: removals still work, reads too.
  disk.resize(disk.used());
  const auto left = texts(*store_->snapshot(), "vm").size();
  EXPECT_EQ(put(*store_, "vm", {large("more")}).error().code, Errc::out_of_space);
  const auto done = remove(*store_, "vm", "1", true);
  EXPECT_TRUE(done) << done.error().detail;
  EXPECT_EQ(texts(*store_->snapshot(), "vm").size(), left - 1);
  // And when he is gone, documents are taken again.
  disk.resize(16u << 20);
  EXPECT_TRUE(put(*store_, "vm", {large("more", 1'000)}));
  expect_sound();
}

// What a removal that failed had taken of the reserve was left to the next document.
TEST_F(FullDiskTest, ARemovalThatFailsGivesTheReserveBack) {
  store_ = nullptr;
  SmallDisk disk(directory_.path(), 6u << 20);
  open(1u << 28, 1u << 20);
  Errc last{};
  const int fitted = fill(*store_, last);
  ASSERT_GT(fitted, 10);
  {
    const LmdbShim shim(LmdbCall::remove, NoRoom::in_map);
    EXPECT_FALSE(remove(*store_, "vm", "1", true));
  }
  EXPECT_EQ(std::filesystem::file_size(directory_.path() / "reserve"), 1u << 20);
  EXPECT_FALSE(put(*store_, "vm", {large("more")}));
  EXPECT_TRUE(remove(*store_, "vm", "1", true));
  expect_sound();
}

// The entry that the log gets then is many times what the reserve was at first.
TEST_F(FullDiskTest, ALargeCollectionCanBeRemovedAsAWholeFromAFullDisk) {
  constexpr std::uint64_t unit = 256u << 10;
  constexpr std::uint64_t seed = 7;
  std::mt19937_64 random(seed);
  store_ = nullptr;
  SmallDisk disk(directory_.path(), 1u << 30);
  open(1u << 28, unit);
  for (int i = 0; i < 10; ++i) {
    std::vector<std::string> documents;
    for (int j = 0; j < 1'000; ++j) {
      documents.push_back(R"({"id":")" + std::to_string(random()) + std::string(200, 'i') +
                          R"("})");
    }
    ASSERT_TRUE(put(*store_, "vm", documents));
  }
  ASSERT_TRUE(put(*store_, "other", {R"({"id":"a"})"}));  // the reserve grows before a write
  EXPECT_GT(std::filesystem::file_size(directory_.path() / "reserve"), 10 * unit);
  disk.resize(disk.used());

  for (const bool use_reserve : {false, true}) {
    auto transaction = store_->begin().value();
    if (use_reserve) transaction->use_reserve();
    const auto vm = *transaction->collection("vm");
    std::vector<std::pair<document::DocumentNumber, std::string>> all;
    auto walk = transaction->walk(vm);
    while (const auto entry = walk->next()) {
      all.emplace_back(entry->number, entry->document.id());
    }
    walk = nullptr;  // a walk must not outlive its transaction
    std::vector<document::Change> changes;
    for (const auto& [number, id] : all) {
      ASSERT_TRUE(transaction->remove(vm, number));
      changes.push_back({document::ChangeKind::removed, "vm", id, {}});
    }
    const Revision next{transaction->revision().value + 1};
    ASSERT_TRUE(transaction->append(next, noon, changes));
    const auto done = transaction->commit();
    EXPECT_EQ(done.has_value(), use_reserve);
  }
  expect_only({});
  expect_sound();
}

TEST_F(FullDiskTest, AReserveThatIsLargerThanAskedForGivesTheRestBackAtTheStart) {
  open(1u << 28, 4u << 20);
  EXPECT_EQ(std::filesystem::file_size(directory_.path() / "reserve"), 4u << 20);
  open(1u << 28, 1u << 20);
  EXPECT_EQ(std::filesystem::file_size(directory_.path() / "reserve"), 1u << 20);
}

}  // namespace
}  // namespace doctor::store
