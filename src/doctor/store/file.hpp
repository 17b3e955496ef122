#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/store/lmdb.hpp"

namespace doctor::store {

/// One opening of the file that holds the tables. Not thread-safe but for what says so.
///
/// Why a reader never sees a commit that is not durable: LMDB writes the pages of a commit, flushes
/// them, writes the meta page through a descriptor that flushes each write (O_DSYNC), and only then
/// sets the number (mti_txnid) from which a new reader takes its transaction. One gap is left, and
/// closed here. A reader takes the number N and then copies the roots from meta page N & 1; if it
/// sleeps in between for two commits, the second one writes that same page, and the reader would
/// copy roots that are half written or not yet durable. So the writer announces each commit before
/// it begins (`committing`), and a reader that finds N + 2 announced after it has copied begins
/// again.
class File {
 public:
  enum class Access : std::uint8_t {
    write,      ///< one writer and any number of readers
    read,       ///< nobody writes: no lock table is needed, and nothing is written at all
    exclusive,  ///< one writer at a time and no readers beside it; no lock table either
  };
  /// The file must be sound (see examine.hpp, RecordFile), or is created with Access::exclusive.
  static Result<std::unique_ptr<File>> open(const std::filesystem::path& path, Access access,
                                            std::uint64_t map_size);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// Whether LMDB has given this opening up, for readers too, because it could not write a meta
  /// page. Any thread.
  bool given_up() const;

  MDB_env* environment() const { return environment_; }
  const Tables& tables() const { return tables_; }
  Result<void> open_tables(unsigned flags);

  /// Begins a read transaction, or takes `idle` (which `rest` gave back) up again. Any thread.
  Result<MDB_txn*> begin_reading(MDB_txn* idle) const;
  /// Ends a read transaction so that it can be taken up again cheaply. Any thread.
  static void rest(MDB_txn* transaction) { mdb_txn_reset(transaction); }

  /// Whether a write failed with `code` because the disk is full. @param bytes  about how much the
  /// transaction wanted to write
  bool found_no_room(int code, std::uint64_t bytes) const;

  /// The writer is about to commit transaction `number`.
  void committing(std::size_t number) { committing_.store(number); }

  std::uint64_t page_size() const { return page_size_; }
  /// How many pages the map has room for.
  std::uint64_t pages_max() const { return pages_max_; }
  /// Pages in use, as `transaction` sees it; the others can be used again or have never been used.
  std::uint64_t pages_used(MDB_txn* transaction) const;
  /// About how many pages a transaction needs that removes every document, as `transaction` sees
  /// them.
  std::uint64_t pages_to_remove_all(MDB_txn* transaction) const;

 private:
  explicit File(MDB_env* environment) : environment_(environment) {}

  MDB_env* environment_;
  Tables tables_{};
  std::uint64_t page_size_ = 0;
  std::uint64_t pages_max_ = 0;
  std::atomic<std::size_t> committing_{0};
};

}  // namespace doctor::store
