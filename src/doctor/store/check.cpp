#include <algorithm>
#include <map>
#include <set>

#include "doctor/base/crypto.hpp"
#include "doctor/document/names.hpp"
#include "doctor/document/session.hpp"
#include "doctor/json/value.hpp"
#include "doctor/store/contents.hpp"
#include "doctor/store/directory_lock.hpp"
#include "doctor/store/examine.hpp"
#include "doctor/store/file.hpp"
#include "doctor/store/record_file.hpp"
#include "doctor/store/reference_index.hpp"
#include "doctor/store/store.hpp"

namespace doctor::store {
namespace {

using document::CollectionNumber;
using document::DocumentNumber;
using document::DocumentView;
using document::Revision;

/// Reads all tables, and tells what in them does not agree.
class Check {
 public:
  Check(MDB_txn* transaction, const Tables& tables,
        const std::function<void(std::string_view)>& report)
      : transaction_(transaction),
        tables_(tables),
        report_(report),
        contents_(transaction, tables),
        state_(contents_.state()) {
    Cursor log(transaction, tables.log);
    if (log.move(MDB_FIRST)) first_logged_ = load<std::uint64_t>(log.key());
  }

  CheckSummary run() {
    summary_.revision = state_.revision;
    names();
    collections();
    documents();
    ids();
    totals();
    log();
    references();
    return summary_;
  }

 private:
  struct Tally {
    CollectionRecord record;
    std::vector<ReferenceIndex> indexes;
    std::uint64_t references = 0;  // keys that its documents have in its indexes
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    Revision newest{0};
  };

  void fault(const std::string& what) {
    ++summary_.faults;
    report_(what);
  }
  static std::string text(std::uint64_t number) { return std::to_string(number); }
  /// A document in a sentence; a session's id is a secret.
  std::string called(const Tally& tally, std::string_view id) const {
    if (tally.record.name == document::sessions_collection) return "session " + fingerprint(id);
    return tally.record.name + " " + json::quoted(id);
  }

  void names();
  void collections();
  void documents();
  void document(Tally& tally, DocumentNumber number, std::string_view stored);
  void ids();
  void totals();
  void log();
  bool confirm(const LoggedChange& change, std::uint64_t revision);
  void enter(Tally& tally, DocumentNumber number, DocumentView document);
  void references();

  MDB_txn* transaction_;
  const Tables& tables_;
  const std::function<void(std::string_view)>& report_;
  Contents contents_;
  State state_;
  std::uint64_t first_logged_ = 0;
  std::uint64_t recent_ = 0;  // documents last changed at a revision that the log still has
  std::map<CollectionNumber, Tally> tallies_;
  CheckSummary summary_;
};

void Check::collections() {
  Cursor cursor(transaction_, tables_.collections);
  for (bool there = cursor.move(MDB_FIRST); there; there = cursor.move(MDB_NEXT)) {
    const CollectionNumber number{load<std::uint32_t>(cursor.key())};
    auto record = CollectionRecord::decode(cursor.value());
    if (!record) {
      fault("the record of collection " + text(number.value) + " cannot be read");
      continue;
    }
    if (number.value >= state_.next_collection) {
      fault("collection " + record->name + " has the number " + text(number.value) +
            ", which is not given yet");
    }
    if (contents_.collection(record->name) != number) {
      fault("the name " + record->name + " does not lead to its collection");
    }
    tallies_[number].record = std::move(*record);
    if (number != sessions_number) ++summary_.collections;
  }
  std::vector<ReferenceIndex> indexes = all_indexes(transaction_, tables_);
  MDB_stat stored{};
  mdb_stat(transaction_, tables_.indexes, &stored);
  if (stored.ms_entries != indexes.size()) {
    fault("the records of " + text(stored.ms_entries - indexes.size()) + " indexes cannot be read");
  }
  for (ReferenceIndex& index : indexes) {
    const auto tally = tallies_.find(index.collection);
    if (tally == tallies_.end()) {
      fault("an index is of collection " + text(index.collection.value) + ", which is not there");
    } else {
      tally->second.indexes.push_back(std::move(index));
    }
  }
  if (!tallies_.contains(sessions_number)) fault("the collection of sessions is not there");
}

void Check::names() {
  Cursor cursor(transaction_, tables_.names);
  for (bool there = cursor.move(MDB_FIRST); there; there = cursor.move(MDB_NEXT)) {
    const std::string name(cursor.key());
    const bool sound =
        cursor.value().size() == sizeof(std::uint32_t) &&
        (document::is_collection_name(name) || name == document::sessions_collection);
    const auto record =
        sound ? contents_.record(CollectionNumber{load<std::uint32_t>(cursor.value())})
              : std::nullopt;
    if (!record || record->name != name) {
      fault("the name " + json::quoted(name) + " leads to no collection of that name");
    }
  }
}

void Check::documents() {
  Cursor cursor(transaction_, tables_.documents);
  for (bool there = cursor.move(MDB_FIRST); there; there = cursor.move(MDB_NEXT)) {
    const auto key = load<std::uint64_t>(cursor.key());
    const auto tally = tallies_.find(collection_of(key));
    if (tally == tallies_.end()) {
      fault("a document lies in collection " + text(collection_of(key).value) +
            ", which is not there");
      continue;
    }
    document(tally->second, number_of(key), cursor.value());
  }
}

void Check::document(Tally& tally, DocumentNumber number, std::string_view stored) {
  const bool of_sessions = tally.record.name == document::sessions_collection;
  ++tally.count;
  ++(of_sessions ? summary_.sessions : summary_.documents);
  tally.bytes += stored.size();
  const std::string place = tally.record.name + " number " + text(number.value);
  if (auto sound = document::verify(stored); !sound) {
    return fault("the document " + place + " cannot be read: " + sound.error().detail);
  }
  const DocumentView document(stored);
  const std::string id = document.id();
  const auto rule = of_sessions ? document::is_session_id : document::is_document_id;
  if (!rule(id)) return fault("the document " + place + " has an impossible id");
  if (of_sessions) {
    if (auto session = document::parse_session(document); !session) {
      fault(called(tally, id) + " cannot be read: " + session.error().detail);
    }
  }
  const auto collection = contents_.collection(tally.record.name);
  if (!collection || contents_.number(*collection, id) != number) {
    fault("the id of " + called(tally, id) + " does not lead to it");
  }
  if (number >= tally.record.next) {
    fault(called(tally, id) + " has the number " + text(number.value) + ", which is not given yet");
  }
  const Revision revision = document.revision();
  if (revision.value == 0 || revision > state_.revision) {
    fault(called(tally, id) + " was changed at revision " + text(revision.value) +
          ", which has not been");
  }
  if (first_logged_ != 0 && revision.value >= first_logged_) ++recent_;
  tally.newest = std::max(tally.newest, revision);
  enter(tally, number, document);
}

// Each document stands in the indexes under the keys that it should.
void Check::enter(Tally& tally, DocumentNumber number, DocumentView document) {
  for (const ReferenceIndex& index : tally.indexes) {
    if (number >= index.covered) continue;
    std::set<std::string, std::less<>> keys;
    index.each_key(number, document, [&](std::string_view key) { keys.emplace(key); });
    tally.references += keys.size();
    for (const std::string& key : keys) {
      if (!get(transaction_, tables_.references, key)) {
        fault("the index of " + index.field.name() + " does not lead to " +
              called(tally, document.id()));
      }
    }
  }
}

// And there are no others.
void Check::references() {
  std::map<CollectionNumber, std::uint64_t> found;
  Cursor cursor(transaction_, tables_.references);
  for (bool there = cursor.move(MDB_FIRST); there; there = cursor.move(MDB_NEXT)) {
    const auto parts = split_id_key(cursor.key());
    ++found[parts ? parts->collection : CollectionNumber{0}];
  }
  for (const auto& [number, tally] : tallies_) {
    const std::uint64_t entries = found[number];
    found.erase(number);
    if (entries != tally.references) {
      fault("the indexes of " + tally.record.name + " have " + text(entries) + " entries, not " +
            text(tally.references));
    }
  }
  for (const auto& [number, entries] : found) {
    fault("there are " + text(entries) + " entries in indexes of collection " + text(number.value) +
          ", which is not there");
  }
}

void Check::ids() {
  Cursor cursor(transaction_, tables_.ids);
  for (bool there = cursor.move(MDB_FIRST); there; there = cursor.move(MDB_NEXT)) {
    const auto parts = split_id_key(cursor.key());
    const auto tally = parts ? tallies_.find(parts->collection) : tallies_.end();
    if (tally == tallies_.end() || cursor.value().size() != sizeof(std::uint64_t)) {
      fault("an id lies in a collection that is not there");
      continue;
    }
    const DocumentNumber number{load<std::uint64_t>(cursor.value())};
    const auto stored = contents_.document(parts->collection, number);
    if (!stored || !document::verify(stored->stored()) || stored->id() != parts->id) {
      fault("the id of " + called(tally->second, parts->id) + " leads to another document or none");
    }
  }
}

void Check::totals() {
  for (const auto& [number, tally] : tallies_) {
    const CollectionRecord& record = tally.record;
    if (record.count != tally.count) {
      fault(record.name + " counts " + text(record.count) + " documents and has " +
            text(tally.count));
    }
    if (record.bytes != tally.bytes) {
      fault(record.name + " counts " + text(record.bytes) + " bytes and has " + text(tally.bytes));
    }
    if (record.revision < tally.newest || record.revision > state_.revision) {
      fault(record.name + " says it was last changed at revision " + text(record.revision.value) +
            ", but has a document of " + text(tally.newest.value));
    }
  }
}

// Revisions are gapless, and each document was last changed when the log says that it was.
void Check::log() {
  Cursor cursor(transaction_, tables_.log);
  std::uint64_t last = 0;
  std::uint64_t bytes = 0;
  std::uint64_t confirmed = 0;
  const bool documents_are_sound = summary_.faults == 0;  // else they had better not be read
  for (bool there = cursor.move(MDB_FIRST); there; there = cursor.move(MDB_NEXT)) {
    const auto revision = load<std::uint64_t>(cursor.key());
    if (last != 0 && revision != last + 1) {
      fault("the log goes from revision " + text(last) + " to " + text(revision));
    }
    last = revision;
    bytes += cursor.value().size();
    ++summary_.commits;
    EntryReader entry(cursor.value());
    while (const auto change = entry.next()) {
      if (documents_are_sound && confirm(*change, revision)) ++confirmed;
    }
    if (!entry.sound() || entry.size() == 0) {
      fault("the log's entry of revision " + text(revision) + " cannot be read");
    }
  }
  if (last != state_.revision.value) {
    fault("the log ends at revision " + text(last) + ", the store at " +
          text(state_.revision.value));
  }
  if (bytes != state_.log_bytes) {
    fault("the log counts " + text(state_.log_bytes) + " bytes and has " + text(bytes));
  }
  if (documents_are_sound && confirmed != recent_) {
    fault("the log tells the last change of " + text(confirmed) + " documents, not of " +
          text(recent_));
  }
}

// Whether it is the last change of its document, which is then there as of this revision.
bool Check::confirm(const LoggedChange& change, std::uint64_t revision) {
  const auto tally = tallies_.find(change.collection);
  if (tally == tallies_.end()) {
    fault("the log's entry of revision " + text(revision) +
          " is of a collection that is not there");
    return false;
  }
  const auto entry = contents_.find(change.collection, change.id);
  const bool removed = change.kind == document::ChangeKind::removed;
  if (!entry) return false;
  const std::uint64_t stored = entry->document.revision().value;
  if (stored < revision || (removed && stored == revision)) {
    fault(called(tally->second, change.id) + " is as of revision " + text(stored) +
          ", but the log tells of a change at " + text(revision));
  }
  return stored == revision;
}

void check_records(const std::filesystem::path& path, const std::string& store_id,
                   CheckSummary& summary, const std::function<void(std::string_view)>& report) {
  const RecordFile file(path, store_id, 0);
  const auto read = file.read([&](std::string_view, std::string_view) { ++summary.mqtt_records; });
  if (read) return;
  ++summary.faults;
  report(read.error().detail);
}

}  // namespace

Result<CheckSummary> check(const std::filesystem::path& directory,
                           const std::function<void(std::string_view)>& report) {
  const std::filesystem::path path = directory / "store.mdb";
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) {
    return error(Errc::not_found, "there is no store in " + directory.string());
  }
  const auto lock = DirectoryLock::take(directory, true);
  if (!lock) return lock.error();
  if (auto sound = examine(path, true); !sound) return sound.error();
  const auto page_faults = check_pages(path, report);
  if (!page_faults) return page_faults.error();
  if (*page_faults > 0) {
    CheckSummary summary;
    summary.faults = *page_faults;
    return summary;
  }
  auto file = File::open(path, File::Access::read, 0);
  if (!file) return file.error();
  if (auto tables = (*file)->open_tables(0); !tables) {
    return invalid(path.string() + " is not a store of Doctor: " + tables.error().detail);
  }
  auto transaction = (*file)->begin_reading(nullptr);
  if (!transaction) return transaction.error();
  const Tables& tables = (*file)->tables();
  Result<CheckSummary> result = CheckSummary{};
  if (auto format = check_format(path, *transaction, tables); !format) {
    result = format.error();
  } else {
    result = Check(*transaction, tables, report).run();
    // What else the start would refuse: that the store does not know its own id.
    const auto meta = check_meta(path, *transaction, tables);
    if (!meta && result->faults == 0) {
      ++result->faults;
      report(meta.error().detail);
    }
    if (meta) check_records(directory / mqtt_file_name, meta->id, *result, report);
  }
  mdb_txn_abort(*transaction);
  return result;
}

}  // namespace doctor::store
