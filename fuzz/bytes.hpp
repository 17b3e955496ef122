#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The input as decisions: each takes an octet from its front. Behind its end all are 0.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}
  bool empty() const { return rest_.empty(); }
  unsigned below(unsigned count) {
    if (rest_.empty()) return 0;
    const unsigned value = static_cast<unsigned char>(rest_[0]);
    rest_.remove_prefix(1);
    return value % count;
  }
  /// Fewer octets than `count`, as they stand.
  std::string_view some(unsigned count) {
    const unsigned size = below(count);
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};
