#pragma once

#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

/// The few calls of POSIX that the store makes beside LMDB's.
namespace doctor::store {

/// An open file, closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_ = -1;
};

inline Descriptor open_file(const std::filesystem::path& path, int flags) {
  return Descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0600));
}

/// Makes all that was written to a file durable, by whomever.
inline bool flush_file(const std::filesystem::path& path) {
  const Descriptor file = open_file(path, O_RDWR);
  return file && ::fdatasync(file.number()) == 0;
}

/// Makes the names in a directory durable.
inline bool sync_directory(const std::filesystem::path& directory) {
  const Descriptor opened = open_file(directory, O_RDONLY | O_DIRECTORY);
  return opened && ::fsync(opened.number()) == 0;
}

/// The bytes that a file takes, without its holes; 0 if there is none.
inline std::uint64_t size_on_disk(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

/// What the system says of an errno, in words.
inline std::string words_of(int system_error) {
  char text[128];
  return ::strerror_r(system_error, text, sizeof text);
}

}  // namespace doctor::store
