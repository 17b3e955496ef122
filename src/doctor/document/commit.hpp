#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "doctor/base/time.hpp"
#include "doctor/document/document.hpp"
#include "doctor/document/session.hpp"

namespace doctor::document {

enum class ChangeKind : std::uint8_t { created, updated, removed };

/// One document created, updated or removed in one commit.
struct Change {
  ChangeKind kind;
  std::string collection;
  std::string id;
  std::vector<std::string> fields;  ///< updated: names of the top-level fields that differ
};

/// What a commit did to a session; the session as it is from then on, or null if it was removed.
struct SessionChange {
  std::string id;
  std::shared_ptr<const Session> session;
};

/// What one write changed, applied as a whole. `changes` are of documents only: created, then
/// updated, then removed, each in the order of the request.
struct Commit {
  Revision revision;
  Timestamp time;
  std::vector<Change> changes;
  std::vector<SessionChange> sessions;
};

using CommitPtr = std::shared_ptr<const Commit>;

/// A part of the changes of one commit, as the commit log keeps them.
struct CommitPart {
  std::vector<Change> changes;
  std::uint64_t next = 0;  ///< where in the log's entry the part after it begins
  bool last = false;       ///< there is none
};

/// Reads changes of documents of an announced commit from the commit log, in parts: `from` is 0 or
/// `next` of the part before. Nothing if the log does not have the commit (any more).
using ReadLog = std::function<std::optional<CommitPart>(Revision revision, std::uint64_t from,
                                                        std::size_t max_changes)>;

}  // namespace doctor::document
