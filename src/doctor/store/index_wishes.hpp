#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "doctor/document/view.hpp"

namespace doctor::store {

/// Indexes that queries would have used. Any thread.
class IndexWishes {
 public:
  using Wish = std::pair<document::CollectionNumber, std::string>;  // and the field

  void note(document::CollectionNumber collection, std::string_view field);
  /// All that were noted since the last call.
  std::set<Wish> take();
  /// This one cannot be had: it is not noted again.
  void refuse(Wish wish);

  /// Whether there is something to build: a wish, or an index that is not complete.
  bool pending() const { return pending_.load(std::memory_order_relaxed); }
  void set_complete(bool complete);

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::set<Wish> noted_;
  std::set<Wish> refused_;
  std::atomic<bool> pending_{false};
};

}  // namespace doctor::store
