#include "doctor/store/reserve.hpp"

#include <algorithm>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "doctor/base/log.hpp"

namespace doctor::store {
namespace {

constexpr std::uint64_t smallest = 64u << 10;  // less than this is not worth a file

}  // namespace

Reserve::Reserve(const std::filesystem::path& path, std::uint64_t size)
    : file_(open_file(path, O_RDWR | O_CREAT)), wanted_(size) {
  struct stat status{};
  if (file_ && ::fstat(file_.number(), &status) == 0) {
    held_ = std::min(wanted_, static_cast<std::uint64_t>(status.st_blocks) * 512);
    if (static_cast<std::uint64_t>(status.st_size) > wanted_) {
      [[maybe_unused]] const int cut = ::ftruncate(file_.number(), static_cast<off_t>(wanted_));
    }
  }
  if (held_ < wanted_) refill();
  if (held_ < wanted_) {
    log::warning("the reserve for removals is not whole: the disk is nearly full",
                 {{"path", path.string()}, {"bytes", std::to_string(held_)}});
  }
}

void Reserve::release() {
  if (held_ == 0) return;
  held_ = 0;
  if (::ftruncate(file_.number(), 0) != 0) return;
  // A journaling file system frees the blocks when the truncation itself is on disk.
  ::fsync(file_.number());
}

void Reserve::refill() {
  for (std::uint64_t size = wanted_; size >= smallest && size > held_; size /= 2) {
    if (fill(size)) return;
  }
}

void Reserve::want(std::uint64_t size) {
  if (size > wanted_) looked_ = {};
  wanted_ = size;
}

void Reserve::top_up(Clock::time_point now) {
  if (held_ >= wanted_ || now - looked_ < std::chrono::seconds(1)) return;
  looked_ = now;
  struct statvfs room{};
  if (::fstatvfs(file_.number(), &room) != 0) return;
  if (std::uint64_t{room.f_bavail} * room.f_frsize > 2 * wanted_) fill(wanted_);
}

bool Reserve::fill(std::uint64_t size) {
  if (!file_) return false;
  if (::posix_fallocate(file_.number(), 0, static_cast<off_t>(size)) == 0) {
    held_ = size;
    return true;
  }
  // What could be had of it before the disk was full goes back.
  [[maybe_unused]] const int cut = ::ftruncate(file_.number(), static_cast<off_t>(held_));
  return false;
}

}  // namespace doctor::store
