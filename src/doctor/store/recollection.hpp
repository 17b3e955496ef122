#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/store/contents.hpp"

namespace doctor::store {

/// What one read transaction of the pool remembers from one use to the next, so that a snapshot
/// need not look it up again. It holds no page of the file: it may be kept while the transaction
/// rests. Belongs to one opening of the file, in which LMDB's number of a commit tells one commit
/// from all others.
class Recollection {
 public:
  /// Of the commit that `contents` sees, which is LMDB's number `commit`.
  document::Revision revision(std::size_t commit, const Contents& contents) {
    if (commit != commit_) {
      revision_ = contents.state().revision;
      commit_ = commit;
    }
    return revision_;
  }

  /// A collection keeps its number for ever, so a number once found is right for all later commits,
  /// and commits seen by one transaction of the pool never go back.
  std::optional<document::CollectionNumber> collection(std::string_view name,
                                                       const Contents& contents) {
    if (const auto known = numbers_.find(name); known != numbers_.end()) return known->second;
    const auto number = contents.collection(name);
    if (number) numbers_.emplace(name, *number);
    return number;
  }

 private:
  std::size_t commit_ = 0;  // LMDB's first commit is 1
  document::Revision revision_{0};
  std::map<std::string, document::CollectionNumber, std::less<>> numbers_;
};

}  // namespace doctor::store
