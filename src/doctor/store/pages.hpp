#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

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

/// Reads whole trees, and checks on the way all that LMDB relies on: that each page lies in the
/// file, is what its place in the tree asks for and is met only once, that the nodes of a page lie
/// in it without a gap, that the tree has as many pages and entries as its record says.
class PageReader {
 public:
  /// @param file  the whole file; outlives the reader
  PageReader(std::string_view file, const MetaPage& meta);

  /// One entry of a tree; Errc::invalid if it cannot be what it is.
  using Visit = std::function<Result<void>(std::string_view key, std::string_view value)>;

  /// Calls `visit` with each entry, in order. Errc::invalid at the first thing that is wrong.
  Result<void> read(const TreeRecord& tree, const Visit& visit);
  /// The same along the first and the last path of the tree only, however large it is.
  Result<void> read_edges(const TreeRecord& tree, const Visit& visit);
  /// Reads the list of free pages: none of them may have been met in a tree, nor occur twice.
  Result<void> read_free_pages();

  /// Whether the page was met, in a tree or as a free one.
  bool was_met(std::uint64_t page) const { return page < met_.size() && met_[page]; }

  static constexpr std::uint64_t first_page = 2;  ///< before it are the two meta pages

 private:
  enum class Extent : std::uint8_t { all, edges };
  struct Tally {
    std::uint64_t branch_pages = 0;
    std::uint64_t leaf_pages = 0;
    std::uint64_t overflow_pages = 0;
    std::uint64_t entries = 0;
  };
  Result<Tally> read_tree(const TreeRecord& tree, Extent extent, const Visit& visit);
  Result<void> read_page(std::uint64_t page, unsigned levels_below, Extent extent, Tally& tally,
                         const Visit& visit);
  Result<void> read_leaf(std::string_view page, Tally& tally, const Visit& visit);
  Result<std::string_view> read_overflow(std::uint64_t page, std::uint64_t size, Tally& tally);
  /// Notes that a page is used, once.
  Result<void> meet(std::uint64_t page);

  std::string_view file_;
  MetaPage meta_;
  std::vector<bool> met_;  // by page
};

/// Errc::invalid if the file is not LMDB's, of another version of it, or damaged; the detail says
/// what of `it`.
Result<MetaPage> read_meta_page(std::string_view file);

/// Whether the file is as long as it says: a read through the map beyond the end would be a SIGBUS.
/// It may end before its last pages if they are free, since LMDB never writes those.
Result<void> check_length(std::string_view file, const MetaPage& meta);

/// The tables by their names.
using TreeRecords = std::map<std::string, TreeRecord, std::less<>>;
Result<TreeRecords> read_table_list(PageReader& reader, const MetaPage& meta);

}  // namespace doctor::store
