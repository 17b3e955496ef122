#pragma once

#include <cstdint>
#include <filesystem>

#include "doctor/base/time.hpp"
#include "doctor/store/system.hpp"

namespace doctor::store {

/// Disk kept for removals: a file of allocated blocks, given back to the file system when a
/// removal finds the disk full (LMDB copies the pages that it changes, so that even a removal needs
/// new ones). Used by the writer alone.
class Reserve {
 public:
  Reserve() = default;
  /// Takes the file over, and makes it as large as it should be if it can.
  Reserve(const std::filesystem::path& path, std::uint64_t size);

  /// Gives the blocks back.
  void release();
  /// Takes as many blocks as there are, at most the whole size: at once after a removal that
  /// needed them, so that other writes do not take what is left.
  void refill();
  /// From now on it should have this size. It grows with the next `top_up`, and shrinks when it is
  /// taken over again.
  void want(std::uint64_t size);
  std::uint64_t wanted() const { return wanted_; }
  /// Completes a reserve that is not whole, once there is ample room; looks at most once a second.
  void top_up(Clock::time_point now);

 private:
  bool fill(std::uint64_t size);

  Descriptor file_;
  std::uint64_t wanted_ = 0;
  std::uint64_t held_ = 0;
  Clock::time_point looked_{};
};

}  // namespace doctor::store
