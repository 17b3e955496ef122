#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include "doctor/store/store.hpp"

/// For tests: a directory of its own, and what is wrong with a store.
namespace doctor::store {

/// A directory that is empty at first and gone at the end.
class TestDirectory {
 public:
  TestDirectory() {
    static std::atomic<int> last{0};
    path_ = std::filesystem::temp_directory_path() /
            ("doctor-test-" + std::to_string(::getpid()) + "-" + std::to_string(++last));
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file() const { return path_ / "store.mdb"; }

 private:
  std::filesystem::path path_;
};

/// What `doctor check` says; empty if the store is sound.
inline std::vector<std::string> faults_of(const std::filesystem::path& directory) {
  std::vector<std::string> faults;
  const auto summary =
      check(directory, [&](std::string_view fault) { faults.emplace_back(fault); });
  if (!summary) faults.push_back(summary.error().detail);
  return faults;
}
inline const std::vector<std::string> no_faults;

/// A document with its revision, as a command makes it.
inline document::Document document_of(std::string_view text, std::uint64_t revision) {
  document::Document document = document::Document::of_checked(text);
  document.set_revision(document::Revision{revision});
  return document;
}

}  // namespace doctor::store
