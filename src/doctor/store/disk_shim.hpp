#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

/// For tests: stands between the store and the system. A test program that has disk_shim_test.cpp
/// among its sources defines the calls by which files are written, so that they come here first.
namespace doctor::store {

struct DiskCall {
  enum class Kind : std::uint8_t {
    pages,  ///< some pages; not durable before the next flush
    meta,   ///< the head of a commit; durable at once
    flush,
    allocate,  ///< the reserve gets its blocks, up to `offset`
  };
  Kind kind;
  std::uint64_t offset;    ///< in the file
  std::string_view bytes;  ///< of a write
};

/// What becomes of a call: by default what it asks for.
struct DiskAnswer {
  int error = 0;           ///< the errno with which it fails, without having done anything
  bool cut_short = false;  ///< a write of pages writes half of what it should
};

using DiskHook = std::function<DiskAnswer(const DiskCall&)>;

/// Sets what is asked about each call on a file named store.mdb, mqtt.mdb (or
/// mqtt.mdb.new) or reserve, until it is destroyed.
/// One at a time.
class DiskShim {
 public:
  explicit DiskShim(DiskHook hook);
  ~DiskShim();
  DiskShim(const DiskShim&) = delete;
  DiskShim& operator=(const DiskShim&) = delete;
};

}  // namespace doctor::store
