#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/query/query.hpp"

namespace doctor::rest {

/// Parsed queries by their text, because front ends send the same few again and again. Bounded in
/// number and bytes; any thread. Each thread has a shard of its own as long as there are no more
/// threads than shards, so that they do not wait for each other.
class QueryCache {
 public:
  explicit QueryCache(const Limits& limits) : limits_(limits) {}

  /// As query::Query::parse. Errors are not kept.
  Result<query::Query> parse(std::string_view text, std::string_view collection, bool single);

 private:
  // Two generations: what is found in the old one moves to the young one; when that is full, it
  // becomes the old one. What has not been asked for since then is forgotten.
  using Generation = std::unordered_map<std::string, query::Query>;
  struct Shard {
    std::mutex mutex;
    Generation young;
    Generation old;
    std::size_t young_bytes = 0;
  };
  static constexpr std::size_t shards = 16;
  static constexpr std::size_t generation_entries = 256;
  static constexpr std::size_t generation_bytes = 256u << 10;
  static constexpr std::size_t text_max = 16u << 10;  ///< a longer query is parsed each time

  static void insert(Shard& shard, std::string key, const query::Query& query);
  Shard& own_shard();

  const Limits& limits_;
  std::array<Shard, shards> shards_;
};

}  // namespace doctor::rest
