// A file that may be a store: whatever its pages say, reading them stays within it.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "doctor/store/pages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace doctor::store;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto meta = read_meta_page(file);
  if (!meta) return 0;
  const auto lies_within = [&](std::string_view bytes) {
    if (bytes.empty()) return;
    if (bytes.data() < file.data() || bytes.data() + bytes.size() > file.data() + file.size()) {
      std::abort();
    }
  };
  const auto look = [&](std::string_view key, std::string_view value) {
    lies_within(key);
    lies_within(value);
    return doctor::Result<void>();
  };
  PageReader reader(file, *meta);
  static_cast<void>(reader.read(meta->tables, [&](std::string_view key, std::string_view value) {
    lies_within(key);
    lies_within(value);
    if (value.size() == TreeRecord::size) {
      const TreeRecord tree = TreeRecord::decode(value);
      static_cast<void>(PageReader(file, *meta).read_edges(tree, look));
      static_cast<void>(reader.read(tree, look));
    }
    return doctor::Result<void>();
  }));
  static_cast<void>(reader.read_free_pages());
  return 0;
}
