#pragma once

#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "doctor/document/commit.hpp"

namespace doctor::server {

/// Commits on their way from the writer's thread to another, which is woken once for all that it
/// has not taken yet. Any thread.
class CommitBox {
 public:
  /// @return whether whoever takes them is to be woken
  bool add(std::span<const document::CommitPtr> commits) {
    const std::scoped_lock lock(mutex_);
    const bool first = commits_.empty();
    commits_.insert(commits_.end(), commits.begin(), commits.end());
    return first && !commits_.empty();
  }
  /// All that have come since the last call.
  std::vector<document::CommitPtr> take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(commits_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<document::CommitPtr> commits_;  // guarded by mutex_
};

}  // namespace doctor::server
