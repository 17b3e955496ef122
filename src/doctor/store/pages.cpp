#include "doctor/store/pages.hpp"

#include <cerrno>
#include <sys/mman.h>
#include <sys/stat.h>
#include <utility>

#include "doctor/store/format.hpp"
#include "doctor/store/system.hpp"

namespace doctor::store {
namespace {

constexpr std::size_t header_size = 16;
constexpr std::size_t meta_size = 136;
constexpr std::uint32_t magic = 0xBEEFC0DE;
constexpr std::uint32_t data_version = 1;
constexpr std::uint16_t meta_flag = 0x08;

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
  return second->transaction > first->transaction ? second : first;
}

}  // namespace doctor::store
