#include <cerrno>
#include <fstream>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

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

// On a file system of its own. It is mounted by a child, in name spaces of its own.
TEST_F(FullDiskTest, AFullDiskRefusesDocumentsTakesRemovalsAndThenDocumentsAgain) {
  store_ = nullptr;
  constexpr int cannot_mount = 77;
  const pid_t child = ::fork();
  if (child == 0) {
    TestDirectory disk;
    const int spaces = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    if (::unshare(spaces) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", disk.path().c_str(), "tmpfs", 0, "size=6m") != 0) {
      ::_exit(cannot_mount);
    }
    const auto directory = disk.path() / "data";
    {
      auto store = Store::open({directory, 1u << 28, 1u << 20});
      if (!store) ::_exit(2);
      expect_room_comes_back(**store);
      // Somebody else takes what is left: removals still work, reads too.
      const auto left = texts(*(*store)->snapshot(), "vm").size();
      std::ofstream(disk.path() / "other") << std::string(8u << 20, 'x');
      EXPECT_FALSE(put(**store, "vm", {large("more")}));
      const auto done = remove(**store, "vm", "1", true);
      EXPECT_TRUE(done) << done.error().detail;
      EXPECT_EQ(texts(*(*store)->snapshot(), "vm").size(), left - 1);
      // And when he is gone, documents are taken again.
      std::filesystem::remove(disk.path() / "other");
      EXPECT_TRUE(put(**store, "vm", {large("more", 1'000)}));
    }
    EXPECT_EQ(faults_of(directory), no_faults);
    ::umount(disk.path().c_str());
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == cannot_mount) GTEST_SKIP() << "no right to mount a file system";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace doctor::store
