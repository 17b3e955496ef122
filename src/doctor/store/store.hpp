#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
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
  std::uint64_t map_size =
      default_map_size;  ///< address space, not disk: how large the store may grow
  /// Disk and map kept free for removals when all else is full; of the map at most an eighth. It
  /// grows by this much at a time, with what the removal of all documents would write. 0: none.
  std::uint64_t reserve = 16u << 20;
  bool read_only = false;  ///< nothing is written, and there is no writer
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
///
/// What a full disk or a broken one means (page 6): a transaction that finds no room on the disk
/// (ENOSPC, EDQUOT), in the map, in the memory, or for so many pages in one transaction fails with
/// Errc::out_of_space, is as if it had never begun, and the next may be tried. After any other
/// failed write or flush the store takes no more writes until it is opened again
/// (Errc::unavailable). Snapshots go on either way.
class Store {
 public:
  /// Creates the directory and the store if there is none. Errors, each with the path and what to
  /// do: another process holds it, the format is newer or foreign, the file is damaged, the disk.
  static Result<std::unique_ptr<Store>> open(const Options& options);
  /// All snapshots and transactions must be gone.
  ~Store();

  const Identity& identity() const;
  /// The newest durable revision: at least that of each snapshot taken before.
  document::Revision revision() const;

  /// Everything at the newest durable revision. Cheap: read transactions are pooled.
  std::unique_ptr<Snapshot> snapshot() const;

  /// Begins a transaction. There is one writer: the transaction before must be gone, and all of it
  /// happens on one thread. Errc::unavailable if the store takes no more writes.
  Result<std::unique_ptr<WriteTransaction>> begin();

  /// Whether an index is to be built, because a query has wished for it (see View::referrers). Any
  /// thread.
  bool wants_indexing() const;
  /// Goes on building, as the one writer, for about `time`, in a transaction of its own. It changes
  /// no answer and makes no revision.
  Result<void> index_for(std::chrono::microseconds time);

  /// False once a failed write or flush has made the store refuse writes, and if it was opened for
  /// reading only. Any thread.
  bool takes_writes() const;
  std::uint64_t size_on_disk() const;

 private:
  explicit Store(std::unique_ptr<Environment> environment);
  std::unique_ptr<Environment> environment_;
};

/// A view of everything, sessions under document::sessions_collection included. Used by one thread
/// at a time. Do not keep it across a socket write: it keeps old pages alive.
class Snapshot : public document::View {
 public:
  /// Commits after `after`, oldest first, as many as fit in `max_bytes` of log text (at least one);
  /// Errc::not_found if the log no longer reaches back to `after` + 1.
  virtual Result<std::vector<LogEntry>> log(document::Revision after,
                                            std::size_t max_bytes) const = 0;
  /// Of one commit of the log at most `max_changes`, sessions among them, so that a large one can
  /// be read in steps. @param from  0, or `next` of the part before
  /// Errc::not_found if the log does not have the commit.
  virtual Result<document::CommitPart> log_part(document::Revision revision, std::uint64_t from,
                                                std::size_t max_changes) const = 0;
};

/// What the writer does, in one transaction: several commands, each its own revision. It is a view
/// of what it has already written, and what that view gives is valid until the next write; a walk
/// must be gone before `commit`. Nothing is visible to others before `commit`, and nothing at all
/// if it is destroyed without.
///
/// `revision` is that of the last `append`; what is written belongs to the revision after it.
///
/// A write that fails for any other reason than Errc::invalid makes the whole transaction unusable:
/// destroy it.
class WriteTransaction : public document::View {
 public:
  /// The number of a collection, made if it is new. Errc::invalid over the limit `collections`.
  virtual Result<document::CollectionNumber> make_collection(std::string_view name,
                                                             const Limits& limits) = 0;
  /// A new document at the end of its collection. Its revision must be set.
  virtual Result<void> create(document::CollectionNumber collection,
                              document::DocumentView document) = 0;
  /// Another text for a document that is there; it keeps its number. Its id must be the same.
  virtual Result<void> replace(document::CollectionNumber collection,
                               document::DocumentNumber number,
                               document::DocumentView document) = 0;
  virtual Result<void> remove(document::CollectionNumber collection,
                              document::DocumentNumber number) = 0;
  /// Ends one command: its entry of the log. `revision` must be the last one + 1.
  virtual Result<void> append(document::Revision revision, Timestamp time,
                              std::span<const document::Change> changes) = 0;
  /// Removes entries of the log that are older than `oldest`, and the oldest while the log is
  /// larger than `max_bytes`; at most `max_entries` at a call, and never the newest.
  virtual Result<void> trim_log(Timestamp oldest, std::uint64_t max_bytes,
                                std::size_t max_entries) = 0;
  /// About how many bytes it has written.
  virtual std::uint64_t bytes_written() const = 0;
  /// Lets this transaction use the reserve: for one that only removes.
  virtual void use_reserve() = 0;
  /// Durable when it returns. The transaction is over, whatever it returns.
  virtual Result<void> commit() = 0;
};

/// What is kept of MQTT beside the store: a RecordFile.
inline constexpr std::string_view mqtt_file_name = "mqtt.mdb";

/// `doctor check`: reads the whole store and tells each fault to `report` in a sentence: every
/// document parses and agrees with its table, every index entry agrees both ways, revisions are
/// gapless, counts hold; and that what is kept of MQTT is whole. @return how many faults
struct CheckSummary {
  std::uint64_t faults = 0;
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;
  std::uint64_t sessions = 0;
  std::uint64_t commits = 0;       ///< in the log
  std::uint64_t mqtt_records = 0;  ///< what is kept of MQTT
  document::Revision revision;
};
Result<CheckSummary> check(const std::filesystem::path& directory,
                           const std::function<void(std::string_view)>& report);

}  // namespace doctor::store
