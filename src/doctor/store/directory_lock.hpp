#pragma once

#include <filesystem>

#include "doctor/base/result.hpp"
#include "doctor/store/system.hpp"

namespace doctor::store {

/// Holds a store's directory for one opening of it. LMDB has a lock of its own, but it is by
/// process: it would let the same process in twice, and another one as a second writer.
class DirectoryLock {
 public:
  /// Takes `directory`/lock, whose text then says which process holds it. Errc::unavailable if it
  /// is held, naming the holder. The lock ends with its owner or with the process, however that
  /// ends; the file stays.
  /// @param read_only  the directory is not written: where the file cannot be made (a read-only
  ///                   medium) there is nobody to lock out
  static Result<DirectoryLock> take(const std::filesystem::path& directory, bool read_only);

  DirectoryLock() = default;

 private:
  explicit DirectoryLock(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace doctor::store
