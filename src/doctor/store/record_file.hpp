#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/store/system.hpp"

namespace doctor::store {

/// A record gets this value, or without one is erased (which is no error if it is not there).
struct RecordChange {
  std::string_view key;  ///< 1 to 255 bytes
  std::optional<std::string_view> value;
};

/// A file of small records beside the store, written and flushed on its own, so that whoever keeps
/// something in it waits for nobody's commits and nobody waits for his. It belongs to one store,
/// under whose directory lock it is used. Not thread-safe. docs/formats/records.md gives every
/// byte.
///
/// A file that is not whole is found by `read`, since each record and all of them together carry a
/// checksum, and no byte of it stops the process. What to do with it is the owner's business:
/// usually to set it aside and begin anew.
class RecordFile {
 public:
  /// Touches nothing yet.
  /// @param store_id  Identity::id of the store that it belongs to
  /// @param map_size  address space, not disk: how large it may grow
  RecordFile(std::filesystem::path path, std::string store_id, std::uint64_t map_size);
  ~RecordFile();

  /// Calls `visit` with each record, in the order of keys; none if there is no file. Before the
  /// first `write`. Errc::invalid, with words, if the file is damaged, of another program or store,
  /// or newer: forget then what was visited. Errc::unavailable if it cannot be read.
  using Visit = std::function<void(std::string_view key, std::string_view value)>;
  Result<void> read(const Visit& visit) const;

  /// Makes the changes in their order, all or none; durable when it returns. Makes the file if
  /// there is none. Errc::out_of_space if the disk, the map or the memory is full,
  /// Errc::unavailable if the disk fails; either way it can be tried again, since it begins from
  /// what is known to be on the disk.
  Result<void> write(std::span<const RecordChange> changes);

  /// Gives the file another name, which says that it was set aside and when: nothing is overwritten
  /// or removed. @return that name
  Result<std::filesystem::path> set_aside(Timestamp now);

  const std::filesystem::path& path() const { return path_; }
  /// Any thread.
  std::uint64_t size_on_disk() const { return doctor::store::size_on_disk(path_); }

 private:
  struct Opening;
  Result<void> open();
  Result<void> create();
  /// What a call of LMDB that failed with `code` means; what is open is closed if LMDB has given it
  /// up, or the disk has failed.
  Error failure(int code, std::uint64_t bytes_written);

  const std::filesystem::path path_;
  const std::string store_id_;
  const std::uint64_t map_size_;
  std::unique_ptr<Opening> opening_;  // none before the first `write`, and after some failures
};

}  // namespace doctor::store
