#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/crypto.hpp"
#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/document/commit.hpp"
#include "doctor/document/view.hpp"

namespace doctor::store {

#ifdef __SANITIZE_THREAD__
/// ThreadSanitizer leaves no room for more.
inline constexpr std::uint64_t default_map_size = 1ull << 36;
#else
inline constexpr std::uint64_t default_map_size = 1ull << 40;
#endif

struct Options {
  std::filesystem::path directory;
  /// Address space, not disk: how large the store may grow.
  std::uint64_t map_size = default_map_size;
  std::uint64_t reserve = 16u << 20;    ///< disk kept free for deletes when all else is full
  bool read_only = false;               ///< for `doctor check`
};

/// One commit of the log: what changed, not to what.
struct LogEntry {
  document::Revision revision;
  Timestamp time;
  std::vector<document::Change> changes;  ///< sessions among them, by their reserved collection
};

struct Identity {
  std::string id;  ///< 8 hex digits, made with the store
  Key cursor_key;  ///< made with the store
};

class Snapshot;
class WriteTransaction;
class Environment;  // LMDB, known to this room alone

/// The embedded store: one directory, one process. Readers take snapshots from any thread and never
/// wait; there is one writer at a time. docs/formats/store.md gives every table and byte.
class Store {
 public:
  /// Creates the directory and the store if there is none. Errors, each with the path and what to
  /// do: another process holds it, the format is newer or foreign, the file is damaged, the disk.
  static Result<std::unique_ptr<Store>> open(const Options& options);
  ~Store();

  const Identity& identity() const;
  /// The newest durable revision.
  document::Revision revision() const;

  /// Everything at the newest durable revision. Cheap: read transactions are pooled.
  std::unique_ptr<Snapshot> snapshot() const;

  /// Waits for no one: there is one writer, the engine's thread. Errc::unavailable after a flush
  /// that failed (page 6: no more writes until restart).
  Result<std::unique_ptr<WriteTransaction>> begin();

  std::uint64_t size_on_disk() const;

 private:
  explicit Store(std::unique_ptr<Environment> environment);
  std::unique_ptr<Environment> environment_;
  friend class Snapshot;
  friend class WriteTransaction;
};

/// A view of everything, sessions under document::sessions_collection included. Used by one thread
/// at a time. Do not keep it across a socket write: it keeps old pages alive.
class Snapshot : public document::View {
 public:
  /// Commits after `after`, oldest first, as many as fit in `max_bytes` of log text (at least one);
  /// Errc::not_found if the log no longer reaches back to `after` + 1.
  virtual Result<std::vector<LogEntry>> log(document::Revision after,
                                            std::size_t max_bytes) const = 0;
};

/// What the writer does, in one LMDB transaction: several commands, each its own revision. It is a
/// view of what it has already written. Nothing is visible to others before `commit`, and nothing
/// at all if it is destroyed without.
///
/// A failing put makes the whole transaction unusable (Errc::out_of_space or internal): destroy it.
class WriteTransaction : public document::View {
 public:
  /// The number of a collection, made if it is new. Errc::invalid over the limit `collections`.
  virtual Result<document::CollectionNumber> make_collection(std::string_view name,
                                                             const Limits& limits) = 0;
  /// A new document at the end of its collection, stamped with `revision`.
  virtual Result<void> create(document::CollectionNumber collection, document::Document document,
                              document::Revision revision) = 0;
  /// Another text for a document that is there; it keeps its number. Its id must be the same.
  virtual Result<void> replace(document::CollectionNumber collection,
                               document::DocumentNumber number, document::Document document,
                               document::Revision revision) = 0;
  virtual Result<void> remove(document::CollectionNumber collection,
                              document::DocumentNumber number) = 0;
  /// Ends one command: the entry's revision must be the last one + 1.
  virtual Result<void> append(const LogEntry& entry) = 0;
  /// Removes entries of the log that are older than `oldest`, or the oldest while the log is larger
  /// than `max_bytes`; at most `max_entries` at a call.
  virtual Result<void> trim_log(Timestamp oldest, std::uint64_t max_bytes,
                                std::size_t max_entries) = 0;
  /// Lets this transaction use the reserve: for one that only removes.
  virtual void use_reserve() = 0;
  /// Durable when it returns. Errc::out_of_space (ENOSPC, EDQUOT, the map is full): as if it had
  /// never begun, and the next may be tried. Errc::unavailable: another failed write or flush; the
  /// store takes no more writes.
  virtual Result<void> commit() = 0;
};

/// `doctor check`: reads the whole store and tells each fault to `report` in a sentence: every
/// document parses and agrees with its table, every index entry agrees both ways, revisions are
/// gapless, counts hold. @return how many faults
struct CheckSummary {
  std::uint64_t faults = 0;
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;
  std::uint64_t sessions = 0;
  std::uint64_t commits = 0;  ///< in the log
  document::Revision revision;
};
Result<CheckSummary> check(const std::filesystem::path& directory,
                           const std::function<void(std::string_view)>& report);

}  // namespace doctor::store
