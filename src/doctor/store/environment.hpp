#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "doctor/store/contents.hpp"
#include "doctor/store/directory_lock.hpp"
#include "doctor/store/file.hpp"
#include "doctor/store/index_wishes.hpp"
#include "doctor/store/recollection.hpp"
#include "doctor/store/reserve.hpp"
#include "doctor/store/store.hpp"

namespace doctor::store {

/// All that a Store is: its directory, the file in it, the pool of read transactions, and whether
/// it still takes writes.
///
/// LMDB gives an opening up for readers too when the write of its meta page fails. Snapshots must
/// go on, so the file is then opened a second time, for reading only, beside the first, whose
/// snapshots end by themselves. If it was only for want of room, the next write closes both, as
/// soon as no snapshot holds them, and opens the file for writing again.
class Environment {
 public:
  static Result<std::unique_ptr<Environment>> open(const Options& options);
  ~Environment();

  const Identity& identity() const { return identity_; }
  document::Revision revision() const { return document::Revision{revision_.load()}; }
  bool takes_writes() const { return takes_writes_.load(std::memory_order_relaxed); }
  std::uint64_t size_on_disk() const;

  /// A read transaction of the pool, and what it remembers of the store from one use to the next.
  struct Reader {
    MDB_txn* transaction = nullptr;
    Recollection recollection;
  };
  /// One opening of the file, with its idle read transactions.
  struct Opening {
    std::unique_ptr<File> file;
    std::vector<std::unique_ptr<Reader>> idle;
    std::size_t in_use = 0;  ///< read transactions

    ~Opening();
  };
  /// A read transaction at the newest durable commit; give it back. Any thread.
  struct Reading {
    Opening* opening;
    std::unique_ptr<Reader> reader;
    MDB_txn* transaction() const { return reader->transaction; }
    const Tables& tables() const { return opening->file->tables(); }
    Contents contents() const { return {transaction(), tables()}; }
  };
  Reading begin_reading();
  void end_reading(Reading reading);

  /// A durable commit has been seen: whoever is first to see it, nobody gets less from `revision`
  /// from now on. Any thread.
  void seen(document::Revision revision) {
    std::uint64_t known = revision_.load();
    while (known < revision.value && !revision_.compare_exchange_weak(known, revision.value)) {
    }
  }

  IndexWishes& wishes() { return wishes_; }

  // What follows is for the one writer.

  Result<MDB_txn*> begin_writing();
  /// The file that the transaction writes.
  File& file() { return *current_->file; }
  Reserve& reserve() { return reserve_; }
  /// Pages of the map that are kept free for removals.
  std::uint64_t reserved_pages() const;
  /// How large the reserve should be for what `transaction` sees: what was asked for, or as many
  /// times that as the removal of everything takes.
  std::uint64_t reserve_for(MDB_txn* transaction) const;
  /// What a call of LMDB that failed with `code` means, in words. After a failed write or flush it
  /// notes that the store takes no more writes, unless it was only for want of room.
  /// @param bytes_written  about how much the transaction wanted to write
  Error failure(int code, std::uint64_t bytes_written);

 private:
  explicit Environment(const Options& options)
      : path_(options.directory / "store.mdb"),
        map_size_(options.map_size),
        reserve_unit_(options.reserve) {}
  Result<std::unique_ptr<Opening>> open_file(File::Access access) const;
  /// @return how large the reserve should be
  Result<std::uint64_t> read_meta();
  void replace_if_given_up();
  Result<void> reopen_for_writing();

  const std::filesystem::path path_;
  const std::uint64_t map_size_;
  const std::uint64_t reserve_unit_;
  DirectoryLock lock_;
  Reserve reserve_;
  Identity identity_;
  std::atomic<std::uint64_t> revision_{0};
  IndexWishes wishes_;
  std::atomic<bool> takes_writes_{true};

  std::mutex mutex_;  // guards what follows, though the writer may read current_ without it
  std::condition_variable changed_;
  std::uint64_t replacements_ = 0;  // of current_
  std::unique_ptr<Opening> current_;
  std::unique_ptr<Opening> given_up_;  // by LMDB; current_ is then for reading only
  bool reopening_ = false;             // no snapshot begins meanwhile
};

}  // namespace doctor::store
