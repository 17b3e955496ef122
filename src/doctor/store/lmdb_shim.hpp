#pragma once

#include <cstdint>

/// For tests: lets calls of LMDB fail that could not be made to fail from outside. A test program
/// that has lmdb_shim_test.cpp among its sources defines these calls, so that they come here first.
namespace doctor::store {

enum class LmdbCall : std::uint8_t { begin, put, remove, commit };
enum class NoRoom : std::uint8_t { in_transaction, in_map, in_memory };

/// One such call of a writer fails, the `after`-th from now on (0: the next), without having done
/// anything; a commit that fails has ended its transaction. One shim at a time.
class LmdbShim {
 public:
  LmdbShim(LmdbCall call, NoRoom cause, unsigned after = 0);
  ~LmdbShim();
  LmdbShim(const LmdbShim&) = delete;
  LmdbShim& operator=(const LmdbShim&) = delete;

  /// How often the call has failed: once at most.
  static unsigned failed();
};

}  // namespace doctor::store
