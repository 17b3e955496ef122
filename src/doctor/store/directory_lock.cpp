#include "doctor/store/directory_lock.hpp"

#include <array>
#include <cerrno>
#include <sys/file.h>

#include "doctor/base/text.hpp"

namespace doctor::store {
namespace {

std::string holder_of(const Descriptor& file) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(file.number(), text.data(), text.size(), 0);
  std::string_view number(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  number = number.substr(0, number.find('\n'));
  if (!parse_unsigned(number, 1ull << 32)) return "another process";
  return "process " + std::string(number);
}

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory, bool read_only) {
  const std::filesystem::path path = directory / "lock";
  Descriptor file = open_file(path, O_RDWR | O_CREAT);
  if (!file && read_only) file = open_file(path, O_RDONLY);
  if (!file) {
    if (read_only) return DirectoryLock();
    return error(Errc::unavailable, "cannot open " + path.string() + ": " + words_of(errno));
  }
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return error(Errc::unavailable, "cannot lock " + path.string() + ": " + words_of(errno));
    }
    return error(Errc::unavailable, "the data directory " + directory.string() + " is in use by " +
                                        holder_of(file) + ": stop it, or use another directory");
  }
  // Only for people, and for the error above: a full or read-only disk must not stop the start.
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::pwrite(file.number(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) {
    [[maybe_unused]] const int cut = ::ftruncate(file.number(), static_cast<off_t>(text.size()));
  }
  return DirectoryLock(std::move(file));
}

}  // namespace doctor::store
