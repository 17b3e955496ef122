#include "doctor/rest/query_cache.hpp"

#include <atomic>
#include <optional>

namespace doctor::rest {

QueryCache::Shard& QueryCache::own_shard() {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
  return shards_[number % shards];
}

void QueryCache::insert(Shard& shard, std::string key, const query::Query& query) {
  if (shard.young.size() >= generation_entries ||
      shard.young_bytes + key.size() > generation_bytes) {
    shard.old = std::move(shard.young);
    shard.young.clear();
    shard.young_bytes = 0;
  }
  shard.young_bytes += key.size();
  shard.young.insert_or_assign(std::move(key), query);
}

Result<query::Query> QueryCache::parse(std::string_view text, std::string_view collection,
                                       bool single) {
  if (text.size() > text_max) return query::Query::parse(text, collection, single, limits_);

  // A collection's name holds no blank.
  std::string key;
  key.reserve(collection.size() + text.size() + 2);
  key.append(collection).append(single ? " 1" : " *").append(text);

  Shard& shard = own_shard();
  {
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.young.find(key); found != shard.young.end()) {
      return found->second;
    }
    if (const auto found = shard.old.find(key); found != shard.old.end()) {
      query::Query query = found->second;
      insert(shard, std::move(key), query);
      return query;
    }
  }
  auto query = query::Query::parse(text, collection, single, limits_);
  if (query) {
    const std::lock_guard lock(shard.mutex);
    insert(shard, std::move(key), *query);
  }
  return query;
}

}  // namespace doctor::rest
