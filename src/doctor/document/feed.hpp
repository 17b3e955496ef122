#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "doctor/document/commit.hpp"

namespace doctor::document {

/// Where a reader of the feed stands: before a change of a commit, or before one that is still to
/// come.
struct FeedPlace {
  Revision revision;
  std::size_t index = 0;  ///< among the commit's changes

  // Where the commit log has the part with this change, and the part after it, as far as they have
  // been read: so that a large commit is not read from its beginning each time.
  struct Mark {
    std::uint64_t from = 0;
    std::size_t index = 0;
  };
  Mark part;
  std::optional<Mark> after_part;

  friend bool operator==(const FeedPlace& a, const FeedPlace& b) {
    return a.revision == b.revision && a.index == b.index;
  }
};

/// The commits that were announced, for readers that each have their own place: the newest of them
/// in memory, up to a number of bytes; all others are read from the commit log, in parts.
class Feed {
 public:
  Feed(ReadLog log, std::size_t bytes_max) : log_(std::move(log)), bytes_max_(bytes_max) {}

  /// Begins behind this revision.
  void begin_after(Revision revision);
  /// The next commit. It is held in memory if it fits, and the oldest make room for it.
  void add(CommitPtr commit);
  /// Whoever is before this revision reads the commit log.
  void forget_before(Revision revision);

  Revision newest() const { return newest_; }
  /// Behind the last commit: where a reader stands who has read everything.
  FeedPlace end() const { return {Revision(newest_.value + 1), 0, {}, {}}; }
  std::size_t bytes() const { return bytes_; }

  /// Changes of one commit, from a reader's place on. They stay until the feed is used again.
  struct Stretch {
    std::span<const Change> changes;
    bool ends_commit = false;
  };
  /// At most `max` changes from the place on; none if it needs to be called again for them, or if
  /// the commit has none. Nothing at all if the commit log does not reach back to the place.
  /// @param place  not at the end; it is moved only by `pass`
  std::optional<Stretch> read(FeedPlace& place, std::size_t max);
  /// Moves the place behind `count` changes of the stretch that was read there.
  static void pass(FeedPlace& place, const Stretch& stretch, std::size_t count);

 private:
  const Commit* held(Revision revision) const;
  void forget_oldest();
  std::optional<Stretch> read_log(FeedPlace& place, std::size_t max);

  const ReadLog log_;
  const std::size_t bytes_max_;
  Revision newest_;
  struct Held {
    CommitPtr commit;
    std::size_t bytes;
  };
  std::deque<Held> commits_;  // up to the newest, without a gap
  std::size_t bytes_ = 0;
  CommitPart part_;  // what was read from the log last
};

}  // namespace doctor::document
