#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace doctor::rest {

/// What is sent for a read, but for what each answer says for itself (its revision, its time).
struct KeptAnswer {
  std::string headers;  ///< complete lines
  std::shared_ptr<const std::string> body;
};

/// Large answers, so that the many who ask for the same list after a change cost one run of the
/// query and one compression. A key must hold everything that an answer depends on, in full: a
/// digest of a query could be made to collide. Bounded in bytes; any thread.
class AnswerCache {
 public:
  /// @param bytes_max  of all bodies together; 0 keeps nothing
  explicit AnswerCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Null if there is none.
  std::shared_ptr<const KeptAnswer> find(const std::string& key);
  /// Whether an answer of this size is worth keeping, and not too large a part of the whole.
  bool takes(std::string_view key, std::size_t body_size) const;
  void keep(std::string key, KeptAnswer answer);

 private:
  // Two generations: what is found in the old one moves to the young one; when that is full, it
  // becomes the old one, and what has not been asked for since then is forgotten.
  using Generation = std::unordered_map<std::string, std::shared_ptr<const KeptAnswer>>;

  void insert(std::string key, std::shared_ptr<const KeptAnswer> answer);

  const std::size_t bytes_max_;
  std::mutex mutex_;
  Generation young_;             // guarded by mutex_
  Generation old_;               // guarded by mutex_
  std::size_t young_bytes_ = 0;  // guarded by mutex_
};

}  // namespace doctor::rest
