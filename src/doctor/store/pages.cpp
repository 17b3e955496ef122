#include "doctor/store/pages.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/mman.h>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include <lmdb.h>

#include "doctor/store/format.hpp"
#include "doctor/store/system.hpp"

namespace doctor::store {
namespace {

constexpr std::size_t header_size = 16;
constexpr std::size_t meta_size = 136;
constexpr std::uint32_t magic = 0xBEEFC0DE;
constexpr std::uint32_t data_version = 1;

// The flags of a page and of a node in a leaf.
constexpr std::uint16_t branch_flag = 0x01;
constexpr std::uint16_t leaf_flag = 0x02;
constexpr std::uint16_t overflow_flag = 0x04;
constexpr std::uint16_t meta_flag = 0x08;
constexpr std::uint16_t in_overflow_flag = 0x01;
constexpr std::uint16_t table_flag = 0x02;

constexpr std::uint64_t no_page = ~std::uint64_t{0};
constexpr unsigned depth_max = 32;

std::string of_page(std::uint64_t page) {
  return "page " + std::to_string(page);
}

// page:8 pad:2 flags:2 lower:2 upper:2, then
// magic:4 version:4 address:8 mapsize:8 free_pages:48 tables:48 last_page:8 transaction:8
Result<MetaPage> read_one(std::string_view file, std::size_t offset) {
  if (file.size() < offset + header_size + meta_size) {
    return invalid("it is cut off within its first pages");
  }
  const std::string_view header = file.substr(offset, header_size);
  const std::string_view meta = file.substr(offset + header_size, meta_size);
  if (load<std::uint32_t>(meta) != magic ||
      (load<std::uint16_t>(header.substr(10)) & meta_flag) == 0) {
    return invalid("its page " + std::to_string(offset == 0 ? 0 : 1) +
                   " is not the head of a store");
  }
  const auto version = load<std::uint32_t>(meta.substr(4));
  if (version != data_version) {
    return invalid("it was written by another LMDB, with data version " + std::to_string(version));
  }
  MetaPage page;
  page.free_pages = TreeRecord::decode(meta.substr(24));
  page.tables = TreeRecord::decode(meta.substr(72));
  page.last_page = load<std::uint64_t>(meta.substr(120));
  page.transaction = load<std::uint64_t>(meta.substr(128));
  page.page_size = page.free_pages.key_size;
  if (page.page_size < 512 || page.page_size > 65536 ||
      (page.page_size & (page.page_size - 1)) != 0) {
    return invalid("it says that its pages have " + std::to_string(page.page_size) + " bytes");
  }
  return page;
}

// number:8 key_size:2 flags:2 lower:2 upper:2, or for overflow pages number:8 pad:2 flags:2 pages:4
struct PageHeader {
  explicit PageHeader(std::string_view page)
      : number(load<std::uint64_t>(page)),
        flags(load<std::uint16_t>(page.substr(10))),
        lower(load<std::uint16_t>(page.substr(12))),
        upper(load<std::uint16_t>(page.substr(14))),
        pages(load<std::uint32_t>(page.substr(12))) {}
  std::uint64_t number;
  std::uint16_t flags;
  std::uint16_t lower;  // end of the nodes' offsets, which begin behind the header
  std::uint16_t upper;  // begin of the nodes
  std::uint32_t pages;
};

// low:2 high:2 flags:2 key_size:2 key, and in a leaf the value (its size is low and high) or the
// number of its first overflow page; in a branch low, high and flags are the number of a page.
struct Node {
  explicit Node(std::string_view bytes)
      : value_size(load<std::uint32_t>(bytes)),
        flags(load<std::uint16_t>(bytes.substr(4))),
        key_size(load<std::uint16_t>(bytes.substr(6))) {}
  std::uint64_t page() const { return std::uint64_t{flags} << 32 | value_size; }
  static constexpr std::size_t header = 8;

  std::uint32_t value_size;
  std::uint16_t flags;
  std::uint16_t key_size;
};

/// The bytes of a page from its `index`-th node on; nothing if they lie outside.
std::string_view node_at(std::string_view page, std::size_t index) {
  const std::size_t offset = load<std::uint16_t>(page.substr(header_size + 2 * index));
  if (offset < header_size || offset + Node::header > page.size()) return {};
  const std::string_view bytes = page.substr(offset);
  return Node::header + Node(bytes).key_size <= bytes.size() ? bytes : std::string_view();
}

/// Whether the nodes take the page from `upper` to its end, without a gap and without sharing a
/// byte. LMDB keeps them so, and moves as many bytes as follow from it when it takes one out.
bool nodes_fill(std::string_view page, const PageHeader& header) {
  std::vector<std::pair<std::size_t, std::size_t>> extents;  // offset, size
  extents.reserve((header.lower - header_size) / 2);
  for (std::size_t i = 0; header_size + 2 * i < header.lower; ++i) {
    const std::string_view bytes = node_at(page, i);
    if (bytes.empty()) return false;
    const Node node(bytes);
    std::size_t size = Node::header + node.key_size;
    if (header.flags == leaf_flag) {
      size += (node.flags & in_overflow_flag) != 0 ? sizeof(std::uint64_t) : node.value_size;
    }
    extents.emplace_back(bytes.data() - page.data(), size + size % 2);
  }
  std::ranges::sort(extents);
  std::size_t end = header.upper;
  for (const auto& [offset, size] : extents) {
    if (offset != end) return false;
    end += size;
  }
  return end == page.size();
}

}  // namespace

TreeRecord TreeRecord::decode(std::string_view bytes) {
  TreeRecord tree;
  tree.key_size = load<std::uint32_t>(bytes);
  tree.flags = load<std::uint16_t>(bytes.substr(4));
  tree.depth = load<std::uint16_t>(bytes.substr(6));
  tree.branch_pages = load<std::uint64_t>(bytes.substr(8));
  tree.leaf_pages = load<std::uint64_t>(bytes.substr(16));
  tree.overflow_pages = load<std::uint64_t>(bytes.substr(24));
  tree.entries = load<std::uint64_t>(bytes.substr(32));
  tree.root = load<std::uint64_t>(bytes.substr(40));
  return tree;
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const auto fail = [&] {
    return error(Errc::unavailable, "cannot read " + path.string() + ": " + words_of(errno));
  };
  const Descriptor file = open_file(path, O_RDONLY);
  struct stat status{};
  if (!file || ::fstat(file.number(), &status) != 0) return fail();
  if (status.st_size == 0) return MappedFile(std::string_view());
  const auto size = static_cast<std::size_t>(status.st_size);
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.number(), 0);
  if (mapped == MAP_FAILED) return fail();
  return MappedFile(std::string_view(static_cast<const char*>(mapped), size));
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

Result<MetaPage> read_meta_page(std::string_view file) {
  const auto first = read_one(file, 0);
  if (!first) return first.error();
  const auto second = read_one(file, first->page_size);
  if (!second) return second.error();
  if (second->page_size != first->page_size) return invalid("its two heads do not agree");
  const MetaPage& newer = second->transaction > first->transaction ? *second : *first;
  // How LMDB treats the keys of a tree, it takes from the file as well.
  if (newer.tables.flags != 0 || (newer.free_pages.flags & ~MDB_NOSUBDIR) != MDB_INTEGERKEY) {
    return invalid("its trees are not of the kind that they should be");
  }
  return newer;
}

PageReader::PageReader(std::string_view file, const MetaPage& meta)
    // A damaged number of pages must not cost memory.
    : file_(file), meta_(meta), met_(std::min(meta.last_page + 1, file.size() / 64 + first_page)) {}

Result<void> PageReader::read(const TreeRecord& tree, const Visit& visit) {
  const auto tally = read_tree(tree, Extent::all, visit);
  if (!tally) return tally.error();
  if (tally->branch_pages != tree.branch_pages || tally->leaf_pages != tree.leaf_pages ||
      tally->overflow_pages != tree.overflow_pages || tally->entries != tree.entries) {
    return invalid("a tree does not have the pages and entries that its record says");
  }
  return {};
}

Result<void> PageReader::read_edges(const TreeRecord& tree, const Visit& visit) {
  const auto tally = read_tree(tree, Extent::edges, visit);
  if (!tally) return tally.error();
  return {};
}

Result<PageReader::Tally> PageReader::read_tree(const TreeRecord& tree, Extent extent,
                                                const Visit& visit) {
  Tally tally;
  if (tree.root == no_page) return tally;
  if (tree.depth == 0 || tree.depth > depth_max) return invalid("a tree has an impossible depth");
  auto done = read_page(tree.root, tree.depth - 1u, extent, tally, visit);
  if (!done) return done.error();
  return tally;
}

Result<void> PageReader::read_page(std::uint64_t number, unsigned levels_below, Extent extent,
                                   Tally& tally, const Visit& visit) {
  if (auto once = meet(number); !once) return once;
  if ((number + 1) * meta_.page_size > file_.size()) {
    return invalid(of_page(number) + " lies beyond the end of the file");
  }
  const std::string_view page = file_.substr(number * meta_.page_size, meta_.page_size);
  const PageHeader header(page);
  const std::uint16_t kind = levels_below == 0 ? leaf_flag : branch_flag;
  if (header.number != number || header.flags != kind || header.lower <= header_size ||
      header.lower > header.upper || header.upper > page.size() || header.lower % 2 != 0) {
    return invalid(of_page(number) + " is not what its place asks for");
  }
  if (!nodes_fill(page, header)) {
    return invalid(of_page(number) + " has an entry that lies outside or over another");
  }
  if (levels_below == 0) {
    ++tally.leaf_pages;
    auto done = read_leaf(page, tally, visit);
    if (!done) return invalid(of_page(number) + ": " + done.error().detail);
    return done;
  }
  ++tally.branch_pages;
  const std::size_t nodes = (header.lower - header_size) / 2;
  for (std::size_t i = 0; i < nodes; ++i) {
    if (extent == Extent::edges && i != 0 && i != nodes - 1) continue;
    auto done = read_page(Node(node_at(page, i)).page(), levels_below - 1, extent, tally, visit);
    if (!done) return done;
  }
  return {};
}

Result<void> PageReader::read_leaf(std::string_view page, Tally& tally, const Visit& visit) {
  const std::size_t nodes = (PageHeader(page).lower - header_size) / 2;
  for (std::size_t i = 0; i < nodes; ++i) {
    const std::string_view bytes = node_at(page, i);
    const Node node(bytes);
    const std::string_view key = bytes.substr(Node::header, node.key_size);
    const std::string_view rest = bytes.substr(Node::header + node.key_size);
    std::string_view value;
    if (node.flags == in_overflow_flag) {
      auto overflow = read_overflow(load<std::uint64_t>(rest), node.value_size, tally);
      if (!overflow) return overflow.error();
      value = *overflow;
    } else if (node.flags == 0 || node.flags == table_flag) {
      value = rest.substr(0, node.value_size);
    } else {
      return invalid("an entry is of a kind that a store does not have");
    }
    ++tally.entries;
    if (auto done = visit(key, value); !done) return done;
  }
  return {};
}

Result<std::string_view> PageReader::read_overflow(std::uint64_t number, std::uint64_t size,
                                                   Tally& tally) {
  if (auto once = meet(number); !once) return once.error();
  if ((number + 1) * meta_.page_size > file_.size()) {
    return invalid(of_page(number) + " lies beyond the end of the file");
  }
  const std::string_view bytes = file_.substr(number * meta_.page_size);
  const PageHeader header(bytes);
  // A value that was replaced by a shorter one keeps its pages.
  if (header.number != number || header.flags != overflow_flag ||
      header.pages * std::uint64_t{meta_.page_size} > bytes.size() ||
      header_size + size > header.pages * std::uint64_t{meta_.page_size}) {
    return invalid(of_page(number) + " is not what its place asks for");
  }
  for (std::uint64_t i = 1; i < header.pages; ++i) {
    if (auto once = meet(number + i); !once) return once.error();
  }
  tally.overflow_pages += header.pages;
  return bytes.substr(header_size, size);
}

Result<void> PageReader::meet(std::uint64_t page) {
  if (page < first_page || page > meta_.last_page || page >= met_.size()) {
    return invalid(of_page(page) + " is not a page of the store");
  }
  if (met_[page]) return invalid(of_page(page) + " is used twice");
  met_[page] = true;
  return {};
}

// Each entry: how many pages, and their numbers, falling.
Result<void> PageReader::read_free_pages() {
  return read(meta_.free_pages, [this](std::string_view key, std::string_view value) {
    constexpr std::size_t size = sizeof(std::uint64_t);
    const std::uint64_t count = value.size() < size ? 0 : load<std::uint64_t>(value);
    if (key.size() != size || value.size() < size || count > value.size() / size - 1) {
      return Result<void>(invalid("a list of free pages is cut off"));
    }
    std::uint64_t last = no_page;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const auto page = load<std::uint64_t>(value.substr(i * size));
      if (page >= last) return Result<void>(invalid("a list of free pages is out of order"));
      if (auto once = meet(page); !once) return once;
      last = page;
    }
    return Result<void>();
  });
}

Result<void> check_length(std::string_view file, const MetaPage& meta) {
  const std::uint64_t pages = file.size() / meta.page_size;
  if (pages > meta.last_page) return {};
  const Error cut_off =
      invalid("it is cut off: it has " + std::to_string(file.size()) + " bytes of " +
              std::to_string((meta.last_page + 1) * meta.page_size));
  if (meta.last_page > 2 * pages + 64) return cut_off;
  PageReader reader(file, meta);
  if (!reader.read_free_pages()) return cut_off;
  for (std::uint64_t page = pages; page <= meta.last_page; ++page) {
    if (!reader.was_met(page)) return cut_off;
  }
  return {};
}

Result<TreeRecords> read_table_list(PageReader& reader, const MetaPage& meta) {
  TreeRecords tables;
  auto done = reader.read(meta.tables, [&](std::string_view name, std::string_view record) {
    if (record.size() != TreeRecord::size) return Result<void>(invalid("a table has no record"));
    tables.emplace(name, TreeRecord::decode(record));
    return Result<void>();
  });
  if (!done) return done.error();
  return tables;
}

}  // namespace doctor::store
