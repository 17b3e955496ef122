#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/commit.hpp"
#include "doctor/document/document.hpp"

namespace doctor::engine {

/// If-Match and If-None-Match of a write of one document (RFC 9110 §13.1), compared with the
/// revision at which the document was last changed.
struct Precondition {
  /// If-Match: the document must exist, at one of these revisions unless the list is empty (`*`).
  std::optional<std::vector<document::Revision>> match{};
  /// If-None-Match: * - the document must not exist.
  bool must_be_new = false;
};

/// POST: creates or replaces each; leaves other documents alone.
struct Upsert {
  std::vector<document::Document> documents;
};
/// PUT of an array: the collection becomes exactly this.
struct ReplaceAll {
  std::vector<document::Document> documents;
};
/// PUT of one document.
struct Put {
  document::Document document;
  Precondition precondition;
};
struct Patch {
  std::string id;
  document::Patch patch;
  Precondition precondition;
};
/// Sets top-level fields of several documents, of any collections but the sessions', in one commit.
/// Each merge is a PATCH by itself, applied to what the ones before it left: one that is refused
/// stops no other.
struct Merge {
  struct One {
    std::string collection;
    std::string id;
    document::Patch patch;
    bool create;  ///< where there is no document, one is made of the id and the patch
  };
  std::vector<One> merges;
};
struct Remove {
  std::string id;
  Precondition precondition;
};
/// DELETE of a collection.
struct Drop {};
/// Removes those of these sessions that have expired by the command's time. They are named, so that
/// nothing has to look at all sessions.
struct ExpireSessions {
  std::vector<std::string> ids;
};

/// A write: checked for form, complete, and carrying its time, so that applying the same commands
/// in the same order makes the same contents.
struct Command {
  /// document::sessions_collection for sessions; empty for a Merge, which names its own.
  std::string collection;
  Timestamp time;
  std::variant<Upsert, ReplaceAll, Put, Patch, Merge, Remove, Drop, ExpireSessions> operation;
};

/// Why one of the merges of a Merge was not applied.
struct Refusal {
  std::size_t merge;  ///< its place in the command
  Error why;
};

/// What a command did. `commit` is null if it changed nothing; `revision` is then the current one.
struct Outcome {
  document::Revision revision;
  document::CommitPtr commit;
  /// What changed, sessions under their reserved collection (a commit tells those apart): what the
  /// answer to the request lists.
  std::vector<document::Change> changes;
  std::uint64_t unchanged = 0;  ///< documents of the command that were equal
  bool was_empty = false;       ///< ReplaceAll: the collection had no document before
  document::Revision
      document_revision;         ///< Put, Patch, Upsert of one: the document's own, for its ETag
  std::vector<Refusal> refused;  ///< Merge
};

}  // namespace doctor::engine
