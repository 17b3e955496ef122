#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

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
  std::string collection;  ///< document::sessions_collection for sessions
  Timestamp time;
  std::variant<Upsert, ReplaceAll, Put, Patch, Remove, Drop, ExpireSessions> operation;
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
      document_revision;  ///< Put, Patch, Upsert of one: the document's own, for its ETag
};

}  // namespace doctor::engine
