#include "doctor/store/record_file.hpp"

#include <fstream>
#include <map>
#include <random>

#include <gtest/gtest.h>
#include <lmdb.h>

#include "doctor/store/disk_shim.hpp"
#include "doctor/store/lmdb_shim.hpp"
#include "doctor/store/test_store.hpp"

namespace doctor::store {
namespace {

namespace fs = std::filesystem;

using Records = std::map<std::string, std::string>;
using Kind = DiskCall::Kind;

constexpr Timestamp noon{1'704'110'400'000};  // 2024-01-01T12:00:00Z

class RecordFileTest : public testing::Test {
 protected:
  RecordFile file(std::string_view store_id = "01234567", std::uint64_t map_size = 1u << 28) const {
    return {path_, std::string(store_id), map_size};
  }
  static Result<void> put(RecordFile& file, const Records& records) {
    std::vector<RecordChange> changes;
    for (const auto& [key, value] : records) changes.push_back({key, value});
    return file.write(changes);
  }
  static Result<void> erase(RecordFile& file, std::string_view key) {
    const RecordChange change{key, std::nullopt};
    return file.write({&change, 1});
  }
  static Result<Records> read(const RecordFile& file) {
    Records records;
    auto done = file.read(
        [&](std::string_view key, std::string_view value) { records.emplace(key, value); });
    if (!done) return done.error();
    return records;
  }
  Records read() const {
    auto records = read(file());
    EXPECT_TRUE(records) << records.error().detail;
    return records ? *records : Records();
  }
  void expect_refused(std::string_view words) const {
    const auto records = read(file());
    ASSERT_FALSE(records);
    EXPECT_EQ(records.error().code, Errc::invalid);
    EXPECT_NE(records.error().detail.find(path_.string()), std::string::npos);
    EXPECT_NE(records.error().detail.find(words), std::string::npos) << records.error().detail;
  }
  /// A file of some hundred records of all sizes, written in several commits, some erased again.
  Records fill() const {
    RecordFile filled = file();
    Records all;
    for (int round = 0; round < 10; ++round) {
      Records some;
      for (int i = 0; i < 30; ++i) {
        const std::size_t size = i % 10 == 0 ? 20'000 : static_cast<std::size_t>(i) * 7;
        some["key " + std::to_string(round * 31 + i * 17)] = std::string(size, 'v');
      }
      EXPECT_TRUE(put(filled, some));
      for (const auto& [key, value] : some) all[key] = value;
      const std::string gone = all.begin()->first;
      EXPECT_TRUE(erase(filled, gone));
      all.erase(gone);
    }
    return all;
  }
  std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(std::string_view bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  /// Changes the file with LMDB itself.
  void set(const char* table, std::string key, std::string value) const {
    MDB_env* environment = nullptr;
    MDB_txn* transaction = nullptr;
    MDB_dbi handle = 0;
    ASSERT_EQ(mdb_env_create(&environment), 0);
    ASSERT_EQ(mdb_env_set_maxdbs(environment, 16), 0);
    ASSERT_EQ(mdb_env_open(environment, path_.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600), 0);
    ASSERT_EQ(mdb_txn_begin(environment, nullptr, 0, &transaction), 0);
    ASSERT_EQ(mdb_dbi_open(transaction, table, MDB_CREATE, &handle), 0);
    MDB_val key_value{key.size(), key.data()};
    MDB_val data{value.size(), value.data()};
    ASSERT_EQ(mdb_put(transaction, handle, &key_value, &data, 0), 0);
    ASSERT_EQ(mdb_txn_commit(transaction), 0);
    mdb_env_close(environment);
  }

  TestDirectory directory_;
  const fs::path path_ = directory_.path() / "mqtt.mdb";
};

TEST_F(RecordFileTest, WhereThereIsNoFileThereAreNoRecordsAndNoneIsMade) {
  EXPECT_EQ(read(), Records());
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(RecordFileTest, WhatWasWrittenIsRead) {
  const Records all = fill();
  EXPECT_EQ(read(), all);
}

TEST_F(RecordFileTest, ChangesAreMadeInTheirOrder) {
  RecordFile changed = file();
  const std::vector<RecordChange> changes = {{"a", "1"}, {"a", std::nullopt}, {"b", "1"},
                                             {"b", "2"}, {"c", std::nullopt}, {"c", "3"}};
  ASSERT_TRUE(changed.write(changes));
  EXPECT_EQ(read(), (Records{{"b", "2"}, {"c", "3"}}));
  ASSERT_TRUE(erase(changed, "never there"));
  ASSERT_TRUE(put(changed, {{"b", ""}}));
  EXPECT_EQ(read(), (Records{{"b", ""}, {"c", "3"}}));
}

TEST_F(RecordFileTest, RandomChangesLeaveWhatAMapWouldHold) {
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  Records expected;
  std::optional<RecordFile> changed;
  const auto reopen = [&] { changed.emplace(path_, "01234567", 1u << 28); };
  reopen();
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> kept(2 * (random() % 20));
    std::vector<RecordChange> changes;
    for (std::size_t i = 0; i < kept.size(); i += 2) {
      kept[i] = std::to_string(random() % 200);
      if (random() % 3 == 0) {
        changes.push_back({kept[i], std::nullopt});
        expected.erase(kept[i]);
      } else {
        kept[i + 1] = std::string(random() % (random() % 10 == 0 ? 100'000 : 100), 'x');
        changes.push_back({kept[i], kept[i + 1]});
        expected[kept[i]] = kept[i + 1];
      }
    }
    ASSERT_TRUE(changed->write(changes));
    if (random() % 4 == 0) {
      EXPECT_EQ(read(), expected);
      reopen();
    }
  }
  EXPECT_EQ(read(), expected);
}

TEST_F(RecordFileTest, AnInterruptedCreationIsReplaced) {
  std::ofstream(path_.string() + ".new") << "half a file";
  EXPECT_EQ(read(), Records());
  RecordFile made = file();
  ASSERT_TRUE(put(made, {{"a", "1"}}));
  EXPECT_EQ(read(), (Records{{"a", "1"}}));
}

TEST_F(RecordFileTest, TheFileOfAnotherStoreIsRefused) {
  fill();
  const auto records = read(file("89abcdef"));
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code, Errc::invalid);
  EXPECT_NE(records.error().detail.find("another store"), std::string::npos);
}

TEST_F(RecordFileTest, ANewerFormatIsRefusedWithItsNumber) {
  fill();
  set("meta", "format", "doctor-records 2");
  expect_refused("newer Doctor (format 2");
}

TEST_F(RecordFileTest, ForeignFilesAreRefused) {
  write("");
  expect_refused("cut off");
  write(std::string(100'000, 'x'));
  expect_refused("not the head");
  fs::remove(path_);
  set("theirs", "key", "value");
  expect_refused("tables");
  fs::remove(path_);
  fs::create_directory(path_);
  expect_refused("not a file");
  fs::remove(path_);
  // The store itself, under the wrong name.
  ASSERT_TRUE(Store::open({directory_.path(), 1u << 28, 0}));
  fs::rename(directory_.file(), path_);
  expect_refused("tables");
}

TEST_F(RecordFileTest, RecordsThatSomebodyElseHasTouchedAreRefused) {
  fill();
  set("records", "short", "1234567");
  expect_refused("cut off");
  set("records", "short", "12345678");
  expect_refused("checksum");
}

TEST_F(RecordFileTest, TheCheckOfTheStoreReadsItToo) {
  std::string id;
  {
    const auto store = Store::open({directory_.path(), 1u << 28, 0});
    ASSERT_TRUE(store);
    id = (*store)->identity().id;
  }
  EXPECT_EQ(faults_of(directory_.path()), no_faults);
  fill();
  EXPECT_EQ(faults_of(directory_.path()).size(), 1u);  // of another store
  fs::remove(path_);
  RecordFile own = file(id);
  ASSERT_TRUE(put(own, {{"a", "1"}, {"b", "2"}}));
  const auto checked = check(directory_.path(), [](std::string_view) {});
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->faults, 0u);
  EXPECT_EQ(checked->mqtt_records, 2u);
}

// Each record may be whole, and yet not the one that was written last, if a disk has lost a write.
TEST_F(RecordFileTest, ARecordThatHasBecomeAnOlderOneIsFound) {
  RecordFile changed = file();
  ASSERT_TRUE(put(changed, {{"a", "old"}, {"b", "b"}}));
  const std::string before = bytes();
  ASSERT_TRUE(put(changed, {{"a", "new"}}));
  std::string now = bytes();
  const auto place = now.find("new");
  const auto old = before.find("old");
  ASSERT_NE(place, std::string::npos);
  ASSERT_NE(old, std::string::npos);
  now.replace(place - 8, 11, before, old - 8, 11);  // checksum and value
  write(now);
  expect_refused("written last");
}

TEST_F(RecordFileTest, AFileThatIsCutOffIsRefusedWhereverItEnds) {
  fill();
  const std::string whole = bytes();
  for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 97) {
    write(whole.substr(0, size));
    expect_refused("");
  }
}

// A wrong byte in a page that is free or behind the last entry of one goes unnoticed; any other is
// found. None ever stops the process, neither at reading nor later.
TEST_F(RecordFileTest, AWrongByteIsFoundOrDoesNoHarm) {
  const Records all = fill();
  const std::string whole = bytes();
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  int found = 0;
  for (int round = 0; round < 800; ++round) {
    std::string wrong = whole;
    // Half of them where a page tells what it is, some of them in the heads.
    std::size_t place = random() % whole.size();
    if (round % 2 == 0) place = place / 4096 * 4096 + random() % 64;
    if (round % 20 == 0) place = random() % 2 * 4096 + random() % 160;
    wrong[place] = static_cast<char>(random());
    write(wrong);
    auto records = read(file());
    if (!records) {
      EXPECT_EQ(records.error().code, Errc::invalid);
      ++found;
      continue;
    }
    // What LMDB itself stumbles over when it writes is an error at most.
    if (round % 4 != 0) continue;
    RecordFile changed = file();
    for (const auto& [key, value] : *records) {
      if (random() % 8 != 0) continue;
      const auto done = random() % 2 == 0 ? erase(changed, key) : put(changed, {{key, "changed"}});
      if (!done) break;
    }
  }
  EXPECT_GT(found, 80);
  write(whole);
  EXPECT_EQ(read(), all);
}

// LMDB moves as many bytes as a page's own numbers say, and would write before the page if the
// begin of its nodes (`upper`, at 14) were behind one of them.
TEST_F(RecordFileTest, APageWhoseNodesDoNotFillItIsRefused) {
  fill();
  const std::string whole = bytes();
  const auto refused_with = [&](std::size_t place, int difference) {
    std::string wrong = whole;
    wrong[place] = static_cast<char>(wrong[place] + difference);
    write(wrong);
    return !read(file());
  };
  int pages = 0;
  for (std::size_t page = 2 * 4096; page < whole.size(); page += 4096) {
    const bool of_nodes = whole[page + 10] == 1 || whole[page + 10] == 2;
    if (!of_nodes || !refused_with(page, 1)) continue;  // another kind of page, or a free one
    ++pages;
    for (const int difference : {-2, 1, 2, 62}) {
      EXPECT_TRUE(refused_with(page + 14, difference)) << page << ' ' << difference;
    }
  }
  EXPECT_GT(pages, 5);
}

TEST_F(RecordFileTest, WhatIsSetAsideKeepsItsBytesUnderAnotherNameAndNothingIsOverwritten) {
  for (const std::string text : {"one", "two", "three"}) {
    write(text);
    RecordFile damaged = file();
    const auto aside = damaged.set_aside(noon);
    ASSERT_TRUE(aside) << aside.error().detail;
    std::ifstream in(*aside);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
    EXPECT_FALSE(fs::exists(path_));
  }
  const std::string name = path_.string() + ".damaged-20240101T120000Z";
  EXPECT_TRUE(fs::exists(name));
  EXPECT_TRUE(fs::exists(name + "-2"));
  EXPECT_TRUE(fs::exists(name + "-3"));
  fs::create_directory(path_);
  EXPECT_TRUE(file().set_aside(noon));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(RecordFileTest, AWriteThatFailsChangesNothingAndCanBeTriedAgain) {
  RecordFile changed = file();
  Records expected{{"a", "0"}};
  ASSERT_TRUE(put(changed, expected));
  int number = 0;
  for (const Kind kind : {Kind::pages, Kind::flush, Kind::meta}) {
    for (const int code : {ENOSPC, EDQUOT, EIO}) {
      {
        const DiskShim shim(
            [=](const DiskCall& call) { return DiskAnswer{call.kind == kind ? code : 0, false}; });
        const auto failed = put(changed, {{"a", "lost"}, {"lost", ""}});
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code, code == EIO ? Errc::unavailable : Errc::out_of_space)
            << failed.error().detail;
        EXPECT_NE(failed.error().detail.find(directory_.path().string()), std::string::npos);
        if (kind == Kind::flush && code == EIO) {
          // It does not begin before it knows what is on the disk.
          EXPECT_FALSE(put(changed, {{"a", "lost"}}));
        }
      }
      EXPECT_EQ(read(), expected);
      expected["a"] = std::to_string(++number);
      const auto done = put(changed, {{"a", expected["a"]}});
      ASSERT_TRUE(done) << done.error().detail;
      EXPECT_EQ(read(), expected);
    }
  }
}

TEST_F(RecordFileTest, WhatLmdbHasNoRoomForCanBeTriedAgain) {
  RecordFile changed = file();
  ASSERT_TRUE(put(changed, {{"a", "0"}}));
  for (const NoRoom cause : {NoRoom::in_transaction, NoRoom::in_map, NoRoom::in_memory}) {
    for (const LmdbCall call :
         {LmdbCall::begin, LmdbCall::put, LmdbCall::remove, LmdbCall::commit}) {
      {
        const LmdbShim shim(call, cause);
        const auto failed =
            call == LmdbCall::remove ? erase(changed, "a") : put(changed, {{"a", "lost"}});
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code, Errc::out_of_space) << failed.error().detail;
      }
      EXPECT_EQ(read(), (Records{{"a", "0"}}));
    }
  }
  ASSERT_TRUE(put(changed, {{"a", "1"}}));
  EXPECT_EQ(read(), (Records{{"a", "1"}}));
}

TEST_F(RecordFileTest, AFullMapRefusesRecordsAndTakesThemOnceOthersAreErased) {
  RecordFile small = file("01234567", 1u << 20);
  int fitted = 0;
  for (;; ++fitted) {
    const auto done = put(small, {{std::to_string(fitted), std::string(20'000, 'v')}});
    if (done) continue;
    EXPECT_EQ(done.error().code, Errc::out_of_space) << done.error().detail;
    break;
  }
  ASSERT_GT(fitted, 20);
  EXPECT_EQ(read().size(), static_cast<std::size_t>(fitted));
  for (int i = 0; i < fitted; ++i) {
    const auto done = erase(small, std::to_string(i));
    ASSERT_TRUE(done) << i << " of " << fitted << ": " << done.error().detail;
  }
  EXPECT_TRUE(put(small, {{"again", std::string(20'000, 'v')}}));
}

TEST_F(RecordFileTest, AFileThatCannotBeMadeNowIsMadeLater) {
  RecordFile made = file();
  {
    const DiskShim full([](const DiskCall&) { return DiskAnswer{ENOSPC, false}; });
    const auto failed = put(made, {{"a", "1"}});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::out_of_space) << failed.error().detail;
    EXPECT_FALSE(fs::exists(path_));
  }
  ASSERT_TRUE(put(made, {{"a", "1"}}));
  EXPECT_EQ(read(), (Records{{"a", "1"}}));
}

TEST_F(RecordFileTest, AnImpossibleKeyIsRefused) {
  RecordFile changed = file();
  EXPECT_EQ(put(changed, {{"", "1"}}).error().code, Errc::internal);
  EXPECT_EQ(put(changed, {{std::string(256, 'k'), "1"}}).error().code, Errc::internal);
  ASSERT_TRUE(put(changed, {{std::string(255, 'k'), std::string(5u << 20, 'v')}}));
  EXPECT_EQ(read().begin()->second.size(), 5u << 20);
}

}  // namespace
}  // namespace doctor::store
