#include <fstream>
#include <random>
#include <sys/wait.h>

#include <gtest/gtest.h>
#include <lmdb.h>

#include "doctor/store/store.hpp"
#include "doctor/store/test_documents.hpp"

namespace doctor::store {
namespace {

namespace fs = std::filesystem;

class OpeningTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Store>> open() { return Store::open({directory_.path(), 1u << 28, 0}); }

  /// A store with a few collections, some of them removed from again, on several pages.
  void fill() {
    auto store = open();
    ASSERT_TRUE(store) << store.error().detail;
    for (int i = 0; i < 40; ++i) {
      const std::string id = std::to_string(i);
      ASSERT_TRUE(put(**store, "vm",
                      {R"({"id":")" + id + R"(","v":")" +
                       std::string(static_cast<std::size_t>(i) * 200, 'v') + R"("})"}));
      ASSERT_TRUE(put(**store, "host" + id, {R"({"id":"h"})"}));
      if (i % 3 == 0) {
        ASSERT_TRUE(remove(**store, "vm", id));
      }
    }
  }
  /// The opening fails with Errc::invalid; its words name the file.
  void expect_refused(std::string_view words) {
    const auto store = open();
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Errc::invalid);
    EXPECT_NE(store.error().detail.find(directory_.file().string()), std::string::npos)
        << store.error().detail;
    EXPECT_NE(store.error().detail.find(words), std::string::npos) << store.error().detail;
  }
  void write(std::string_view bytes) {
    std::ofstream(directory_.file(), std::ios::binary) << bytes;
  }
  void write_byte(std::size_t place, char byte) {
    std::fstream file(directory_.file(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(place)).put(byte);
  }
  std::string read() {
    std::ifstream file(directory_.file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Opens the file with LMDB itself, and runs `change` in a transaction.
  template <class Change>
  void change(const Change& change) {
    MDB_env* environment = nullptr;
    MDB_txn* transaction = nullptr;
    ASSERT_EQ(mdb_env_create(&environment), 0);
    ASSERT_EQ(mdb_env_set_maxdbs(environment, 16), 0);
    ASSERT_EQ(mdb_env_open(environment, directory_.file().c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600),
              0);
    ASSERT_EQ(mdb_txn_begin(environment, nullptr, 0, &transaction), 0);
    change(transaction);
    ASSERT_EQ(mdb_txn_commit(transaction), 0);
    mdb_env_close(environment);
  }
  static void set(MDB_txn* transaction, const char* table, std::string key, std::string value) {
    MDB_dbi handle = 0;
    ASSERT_EQ(mdb_dbi_open(transaction, table, MDB_CREATE, &handle), 0);
    MDB_val key_value{key.size(), key.data()};
    MDB_val data{value.size(), value.data()};
    ASSERT_EQ(mdb_put(transaction, handle, &key_value, &data, 0), 0);
  }

  TestDirectory directory_;
};

TEST_F(OpeningTest, TheDirectoryIsMadeWithAllAboveIt) {
  const fs::path deep = directory_.path() / "a" / "b";
  ASSERT_TRUE(Store::open({deep, 1u << 28, 0}));
  EXPECT_EQ(faults_of(deep), no_faults);
}

TEST_F(OpeningTest, ADirectoryThatCannotBeMadeIsNamed) {
  std::ofstream(directory_.path() / "file");
  const auto store = Store::open({directory_.path() / "file" / "data", 1u << 28, 0});
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().detail.find("file/data"), std::string::npos);
}

TEST_F(OpeningTest, ASecondOpeningIsRefusedAndToldWhoHoldsTheFirst) {
  const auto first = open();
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unavailable);
  EXPECT_NE(second.error().detail.find(directory_.path().string()), std::string::npos);
  EXPECT_NE(second.error().detail.find("process " + std::to_string(::getpid())), std::string::npos);
  // `doctor check` too.
  const auto checked = check(directory_.path(), [](std::string_view) {});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Errc::unavailable);
}

TEST_F(OpeningTest, TheLockEndsWithItsProcessHoweverThatEnds) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = open();
    ::_exit(store ? 7 : 0);  // no destructor runs
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_TRUE(open());
}

TEST_F(OpeningTest, CheckingADirectoryWithoutAStoreMakesNone) {
  const auto checked = check(directory_.path(), [](std::string_view) {});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Errc::not_found);
  EXPECT_FALSE(fs::exists(directory_.file()));
}

TEST_F(OpeningTest, AStoreOpenedForReadingTakesNoWrites) {
  fill();
  auto store = Store::open({directory_.path(), 1u << 28, 0, true});
  ASSERT_TRUE(store) << store.error().detail;
  EXPECT_EQ(texts(*(*store)->snapshot(), "host0"), Texts{R"({"id":"h"})"});
  EXPECT_EQ((*store)->begin().error().code, Errc::unavailable);
}

TEST_F(OpeningTest, TheRestOfAnInterruptedCreationIsReplaced) {
  std::ofstream(directory_.path() / "store.mdb.new") << "half a store";
  ASSERT_TRUE(open());
  EXPECT_EQ(faults_of(directory_.path()), no_faults);
  EXPECT_FALSE(fs::exists(directory_.path() / "store.mdb.new"));
}

TEST_F(OpeningTest, AnEmptyFileIsRefused) {
  write("");
  expect_refused("cut off");
}

TEST_F(OpeningTest, AForeignFileIsRefused) {
  write(std::string(100'000, 'x'));
  expect_refused("not a store of Doctor");
  EXPECT_EQ(read(), std::string(100'000, 'x'));
}

TEST_F(OpeningTest, AForeignDatabaseOfLmdbIsRefused) {
  change([](MDB_txn* transaction) { set(transaction, "theirs", "key", "value"); });
  expect_refused("not a store of Doctor");
}

TEST_F(OpeningTest, ANewerFormatIsRefusedWithItsNumber) {
  fill();
  change([](MDB_txn* transaction) { set(transaction, "meta", "format", "doctor-store 2"); });
  expect_refused("newer Doctor (format 2");
  EXPECT_EQ(check(directory_.path(), [](std::string_view) {}).error().code, Errc::invalid);
}

TEST_F(OpeningTest, AStoreWhoseTablesDoNotAgreeIsRefused) {
  fill();
  change([](MDB_txn* transaction) { set(transaction, "ids", "???", "12345678"); });
  expect_refused("damaged");
  EXPECT_NE(faults_of(directory_.path()), no_faults);
}

TEST_F(OpeningTest, WhatTheStartRefusesTheCheckTells) {
  fill();
  change([](MDB_txn* transaction) { set(transaction, "meta", "id", "short"); });
  expect_refused("does not know its own id");
  EXPECT_EQ(faults_of(directory_.path()).size(), 1u);
}

TEST_F(OpeningTest, AnIndexWhoseRecordCannotBeReadIsAFault) {
  fill();
  change([](MDB_txn* transaction) { set(transaction, "indexes", "??", "12345678"); });
  EXPECT_EQ(faults_of(directory_.path()).size(), 1u);
}

TEST_F(OpeningTest, AFileThatIsCutOffIsRefusedWhereverItEnds) {
  fill();
  const std::string whole = read();
  for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 97) {
    write(whole.substr(0, size));
    expect_refused("");
    EXPECT_NE(faults_of(directory_.path()), no_faults) << size;
  }
}

// LMDB itself ends a file so, when pages that it took last were freed before they were written.
TEST_F(OpeningTest, AFileMayEndBeforePagesThatAreFree) {
  {
    auto store = open();
    ASSERT_TRUE(put(**store, "vm", {R"({"id":"a"})"}));
    ASSERT_TRUE(put(**store, "vm", {R"({"id":"b","v":")" + std::string(100'000, 'v') + R"("})"}));
    ASSERT_TRUE(remove(**store, "vm", "b"));
    ASSERT_TRUE(put(**store, "vm", {R"({"id":"a","n":1})"}));
  }
  const auto size = fs::file_size(directory_.file());
  fs::resize_file(directory_.file(), size - 10 * 4096);
  EXPECT_EQ(faults_of(directory_.path()), no_faults);
  auto store = open();
  ASSERT_TRUE(store) << store.error().detail;
  EXPECT_EQ(fs::file_size(directory_.file()), size);
  EXPECT_EQ(texts(*(*store)->snapshot(), "vm"), Texts{R"({"id":"a","n":1})"});
}

// LMDB takes the kind of a table from the file: with a bit too many it opens the table, and may
// fail at the first read.
TEST_F(OpeningTest, ATableOfAnotherKindIsRefused) {
  fill();
  const std::string whole = read();
  int refused = 0;
  const auto try_with_bit = [&](std::size_t place, int bit) {
    write_byte(place, static_cast<char>(whole[place] ^ bit));
    const auto store = Store::open({directory_.path(), 1u << 28, 0, true});
    if (store) texts(*(*store)->snapshot(), "vm");  // it was the record of an older commit
    if (!store) ++refused;
    write_byte(place, whole[place]);
  };
  const std::vector<std::string> tables{"meta", "names", "collections", "documents", "ids", "log"};
  for (const std::string& table : tables) {
    // A node: the size of the record:4, that it is a table:2, the size of the name:2, the name, and
    // the record: 4 bytes of no use here, its flags:2, ...
    const std::string node{48, 0, 0, 0, 2, 0, static_cast<char>(table.size()), 0};
    const std::string sought = node + table;
    for (auto at = whole.find(sought); at != std::string::npos; at = whole.find(sought, at + 1)) {
      const std::size_t flags = at + sought.size() + 4;
      try_with_bit(flags, MDB_DUPSORT);
      try_with_bit(flags + 1, 0x80);
    }
  }
  EXPECT_EQ(refused, 2 * tables.size());
}

// A wrong byte in a page that is free, behind the last entry of one or within a string of a
// document goes unnoticed; any other is found. None ever stops the process.
TEST_F(OpeningTest, AWrongByteNeverStopsTheCheck) {
  fill();
  const std::string whole = read();
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  int found = 0;
  for (int round = 0; round < 1'000; ++round) {
    // Half of them where a page tells what it is.
    std::size_t place = random() % whole.size();
    if (round % 2 == 0) place = place / 4096 * 4096 + random() % 64;
    write_byte(place, static_cast<char>(random()));
    const bool sound = faults_of(directory_.path()) == no_faults;
    if (!sound) ++found;
    const auto store = Store::open({directory_.path(), 1u << 28, 0, true});
    if (store && sound) {
      const auto snapshot = (*store)->snapshot();
      for (const auto& collection : snapshot->collections()) texts(*snapshot, collection.name);
    }
    write_byte(place, whole[place]);
  }
  EXPECT_GT(found, 100);
}

}  // namespace
}  // namespace doctor::store
