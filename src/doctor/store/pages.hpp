#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "doctor/base/result.hpp"

/// Reads the pages of LMDB's file (its data format 1, of a machine with 64 bits) without LMDB,
/// which trusts every byte: a wrong one may stop the process, or send it beyond the end of the
/// file.
namespace doctor::store {

/// A tree of pages, as a meta page or the record of a table describes it.
struct TreeRecord {
  std::uint32_t key_size = 0;  ///< of trees whose keys have one size; of the first: the page size
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_pages = 0;
  std::uint64_t leaf_pages = 0;
  std::uint64_t overflow_pages = 0;
  std::uint64_t entries = 0;
  std::uint64_t root = 0;  ///< all ones: the tree is empty

  static constexpr std::size_t size = 48;
  static TreeRecord decode(std::string_view bytes);
};

/// What the newer of the two meta pages says.
struct MetaPage {
  std::uint32_t page_size = 0;
  TreeRecord free_pages;  ///< transaction -> pages that it freed
  TreeRecord tables;      ///< name -> TreeRecord
  std::uint64_t last_page = 0;
  std::uint64_t transaction = 0;
};

/// A file mapped for reading, as long as it is and no longer.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes_;
};

/// Errc::invalid if the file is not LMDB's, of another version of it, or damaged; the detail says
/// what of `it`.
Result<MetaPage> read_meta_page(std::string_view file);

}  // namespace doctor::store
