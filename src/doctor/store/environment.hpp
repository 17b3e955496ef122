#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "doctor/store/directory_lock.hpp"
#include "doctor/store/file.hpp"
#include "doctor/store/reserve.hpp"
#include "doctor/store/store.hpp"

namespace doctor::store {

/// All that a Store is: its directory, the file in it, the pool of read transactions, and whether
/// it still takes writes.
class Environment {
 public:
  static Result<std::unique_ptr<Environment>> open(const Options& options);
  ~Environment();

  const Identity& identity() const { return identity_; }
  document::Revision revision() const { return document::Revision{revision_.load()}; }
  std::uint64_t size_on_disk() const;

  /// A read transaction at the newest durable commit; give it back. Any thread.
  struct Reading {
    const File* file;
    MDB_txn* transaction;
  };
  Reading begin_reading();
  void end_reading(Reading reading);

  // What follows is for the one writer.

  Result<MDB_txn*> begin_writing();
  File& file() { return *file_; }
  Reserve& reserve() { return reserve_; }
  std::uint64_t reserve_size() const { return reserve_size_; }
  /// What a failed call of LMDB means, in words. Notes that the store takes no more writes if so.
  /// @param bytes_written  about how much the transaction wanted to write
  Error failure(int code, std::uint64_t bytes_written);
  void committed(document::Revision revision) { revision_.store(revision.value); }

 private:
  explicit Environment(const Options& options) : directory_(options.directory) {}
  Result<void> open_file(const Options& options);
  Result<void> read_meta();
  bool has_no_room(std::uint64_t bytes) const;

  std::filesystem::path directory_;
  DirectoryLock lock_;
  Reserve reserve_;
  std::uint64_t reserve_size_ = 0;
  Identity identity_;
  std::unique_ptr<File> file_;
  std::atomic<std::uint64_t> revision_{0};
  std::atomic<bool> read_only_{false};

  std::mutex mutex_;  // guards idle_
  std::vector<MDB_txn*> idle_;
};

}  // namespace doctor::store
