#include "doctor/store/write_transaction.hpp"

#include <algorithm>

#include "doctor/store/snapshot.hpp"

namespace doctor::store {

using document::CollectionInfo;
using document::CollectionNumber;
using document::DocumentNumber;
using document::DocumentView;

LmdbTransaction::LmdbTransaction(Environment& environment, MDB_txn* transaction)
    : environment_(environment),
      transaction_(transaction),
      contents_(transaction, environment.file().tables()),
      state_(contents_.state()) {}

LmdbTransaction::~LmdbTransaction() {
  if (transaction_ != nullptr) mdb_txn_abort(transaction_);
  // Whether it was committed or not: what it did not need is not left to other writes.
  if (may_use_reserve_) environment_.reserve().refill();
}

std::optional<CollectionNumber> LmdbTransaction::collection(std::string_view name) const {
  return contents_.collection(name);
}

std::vector<CollectionInfo> LmdbTransaction::collections() const {
  return listed(contents_, *this);
}

CollectionInfo LmdbTransaction::info(CollectionNumber collection) const {
  return info_of(collection, load_record(collection).record);
}

std::optional<document::Entry> LmdbTransaction::find(CollectionNumber collection,
                                                     std::string_view id) const {
  return contents_.find(collection, id);
}

std::unique_ptr<document::Walk> LmdbTransaction::walk(CollectionNumber collection,
                                                      DocumentNumber from) const {
  return contents_.walk(collection, from);
}

std::optional<std::vector<document::Entry>> LmdbTransaction::referrers(CollectionNumber,
                                                                       const document::FieldName&,
                                                                       std::string_view) const {
  return std::nullopt;
}

LmdbTransaction::Loaded& LmdbTransaction::load_record(CollectionNumber collection) const {
  const auto [place, is_new] = records_.try_emplace(collection.value);
  if (is_new) {
    place->second.record = contents_.record(collection).value_or(CollectionRecord{});
    place->second.indexes = indexes_of(transaction_, tables(), collection);
  }
  return place->second;
}

CollectionRecord& LmdbTransaction::touch(CollectionNumber collection) {
  Loaded& loaded = load_record(collection);
  loaded.changed = true;
  loaded.record.revision = document::Revision{state_.revision.value + 1};
  return loaded.record;
}

Result<CollectionNumber> LmdbTransaction::make_collection(std::string_view name,
                                                          const Limits& limits) {
  if (const auto number = contents_.collection(name)) return *number;
  // The first is the sessions'; it does not count.
  const std::uint32_t made = state_.next_collection - sessions_number.value - 1;
  if (made >= limits.collections || state_.next_collection > collection_number_max) {
    return invalid("there cannot be more collections than the limit `collections` (" +
                   std::to_string(limits.collections) + "), counting those that are empty now");
  }
  const CollectionNumber number{state_.next_collection};
  if (auto done = put(tables().names, name, bytes_of(number.value)); !done) return done.error();
  ++state_.next_collection;
  Loaded& loaded = records_[number.value];
  loaded.record.name = name;
  loaded.changed = true;
  return number;
}

Result<void> LmdbTransaction::create(CollectionNumber collection, DocumentView document) {
  CollectionRecord& record = touch(collection);
  const DocumentNumber number = record.next;
  const auto id = IdKey::make(collection, document.id());
  if (!id || number.value > document_number_max) {
    return error(Errc::internal, "a document that the store cannot number");
  }
  const std::uint64_t key = document_key(collection, number);
  const std::string_view stored = document.stored();
  if (auto done = put(tables().ids, id->bytes(), bytes_of(number.value), MDB_NOOVERWRITE); !done) {
    return done;
  }
  if (auto done = put(tables().documents, bytes_of(key), stored); !done) return done;
  if (auto done = reindex(collection, number, std::nullopt, document); !done) return done;
  record.next = DocumentNumber{number.value + 1};
  ++record.count;
  record.bytes += stored.size();
  return {};
}

Result<void> LmdbTransaction::replace(CollectionNumber collection, DocumentNumber number,
                                      DocumentView document) {
  const auto before = contents_.document(collection, number);
  if (!before) return error(Errc::internal, "a document to be replaced is not there");
  CollectionRecord& record = touch(collection);
  record.bytes += document.stored().size() - before->stored().size();
  if (auto done = reindex(collection, number, before, document); !done) return done;
  const std::uint64_t key = document_key(collection, number);
  return put(tables().documents, bytes_of(key), document.stored());
}

Result<void> LmdbTransaction::remove(CollectionNumber collection, DocumentNumber number) {
  const auto before = contents_.document(collection, number);
  const auto id = before ? IdKey::make(collection, before->id()) : std::nullopt;
  if (!id) return error(Errc::internal, "a document to be removed is not there");
  CollectionRecord& record = touch(collection);
  record.bytes -= before->stored().size();
  --record.count;
  if (auto done = reindex(collection, number, before, std::nullopt); !done) return done;
  const std::uint64_t key = document_key(collection, number);
  if (auto done = erase(tables().documents, bytes_of(key)); !done) return done;
  return erase(tables().ids, id->bytes());
}

Result<void> LmdbTransaction::append(document::Revision revision, Timestamp time,
                                     std::span<const document::Change> changes) {
  EntryWriter entry(time, changes.size());
  const std::string* name = nullptr;
  CollectionNumber number{0};
  for (const document::Change& change : changes) {
    if (name == nullptr || change.collection != *name) {
      name = &change.collection;
      number = contents_.collection(*name).value_or(CollectionNumber{0});
    }
    entry.add(change.kind, number, change.id, change.fields);
  }
  if (auto done = put(tables().log, bytes_of(revision.value), entry.bytes(), MDB_APPEND); !done) {
    return done;
  }
  state_.revision = revision;
  state_.log_bytes += entry.bytes().size();
  return {};
}

Result<void> LmdbTransaction::trim_log(Timestamp oldest, std::uint64_t max_bytes,
                                       std::size_t max_entries) {
  for (std::size_t removed = 0; removed < max_entries; ++removed) {
    std::uint64_t revision = 0;
    std::uint64_t size = 0;
    {
      Cursor cursor(transaction_, tables().log);
      if (!cursor.move(MDB_FIRST)) return {};
      revision = load<std::uint64_t>(cursor.key());
      size = cursor.value().size();
      const bool old = EntryReader(cursor.value()).time() < oldest;
      if (revision == state_.revision.value || (!old && state_.log_bytes <= max_bytes)) return {};
    }
    if (auto done = erase(tables().log, bytes_of(revision)); !done) return done;
    state_.log_bytes -= size;
  }
  return {};
}

void LmdbTransaction::use_reserve() {
  may_use_reserve_ = true;
  environment_.reserve().release();
}

Result<void> LmdbTransaction::commit() {
  if (auto done = write_records(); !done) return done;
  File& file = environment_.file();
  // What is used now could not be given back by removals later if nothing were left to copy to.
  const std::uint64_t reserved = environment_.reserved_pages();
  if (!may_use_reserve_ && file.pages_used(transaction_) + reserved > file.pages_max()) {
    return environment_.failure(MDB_MAP_FULL, bytes_written_);
  }
  const std::uint64_t reserve_wanted = environment_.reserve_for(transaction_);
  file.committing(mdb_txn_id(transaction_));
  const int code = mdb_txn_commit(std::exchange(transaction_, nullptr));
  if (auto done = outcome(code); !done) return done;
  environment_.seen(state_.revision);
  environment_.reserve().want(reserve_wanted);
  return {};
}

Result<void> LmdbTransaction::reindex(CollectionNumber collection, DocumentNumber number,
                                      std::optional<DocumentView> before,
                                      std::optional<DocumentView> after) {
  // All that `before` shows must be read before the first write.
  std::vector<std::string> gone;
  std::vector<std::string> come;
  for (const ReferenceIndex& index : load_record(collection).indexes) {
    if (number >= index.covered) continue;
    const auto value = [&](const auto& document) {
      return document ? document->find(index.field) : std::nullopt;
    };
    if (value(before) == value(after)) continue;
    const auto add_to = [](std::vector<std::string>& keys) {
      return [&keys](std::string_view key) { keys.emplace_back(key); };
    };
    if (before) index.each_key(number, *before, add_to(gone));
    if (after) index.each_key(number, *after, add_to(come));
  }
  // An array may name a target twice.
  std::sort(gone.begin(), gone.end());
  gone.erase(std::unique(gone.begin(), gone.end()), gone.end());
  for (const std::string& key : gone) {
    if (auto done = erase(tables().references, key); !done) return done;
  }
  for (const std::string& key : come) {
    if (auto done = put(tables().references, key, {}); !done) return done;
  }
  return {};
}

Result<bool> LmdbTransaction::make_index(CollectionNumber collection, std::string_view field) {
  std::vector<ReferenceIndex>& indexes = load_record(collection).indexes;
  const auto has_field = [&](const ReferenceIndex& index) { return index.field.name() == field; };
  if (std::any_of(indexes.begin(), indexes.end(), has_field)) return true;
  if (indexes.size() == indexes_max) {
    // One that nothing stands in may have been wished for by mistake.
    const auto is_empty = [&](const ReferenceIndex& index) {
      Cursor cursor(transaction_, tables().references);
      return index.complete() && !(cursor.move(index.prefix(), MDB_SET_RANGE) &&
                                   cursor.key().starts_with(index.prefix()));
    };
    const auto useless = std::find_if(indexes.begin(), indexes.end(), is_empty);
    if (useless == indexes.end()) return false;
    indexes.erase(useless);
  }
  std::uint8_t number = 0;
  const auto is_taken = [&](const ReferenceIndex& index) { return index.number == number; };
  while (std::any_of(indexes.begin(), indexes.end(), is_taken)) ++number;
  const ReferenceIndex& made = indexes.emplace_back(
      ReferenceIndex{collection, number, document::FieldName(field), DocumentNumber{0}});
  if (auto done = put(tables().indexes, made.key(), made.value()); !done) return done.error();
  return true;
}

Result<bool> LmdbTransaction::build_indexes(Clock::time_point deadline) {
  bool begun = false;  // however late it is, something is done
  for (ReferenceIndex& index : all_indexes(transaction_, tables())) {
    if (index.complete()) continue;
    if (std::exchange(begun, true) && Clock::now() >= deadline) return false;
    if (auto done = build(index, deadline); !done) return done.error();
    if (!index.complete()) return false;
  }
  return true;
}

// Each document may change a page of its own, which the commit writes by itself: so not only the
// time of a step is bounded, but also the documents.
Result<void> LmdbTransaction::build(ReferenceIndex& index, Clock::time_point deadline) {
  constexpr unsigned documents_max = 500;
  constexpr unsigned documents_between_looks = 16;
  const auto walk = contents_.walk(index.collection, index.covered);
  for (unsigned i = 1; i <= documents_max; ++i) {
    const auto entry = walk->next();
    index.covered = entry ? DocumentNumber{entry->number.value + 1} : ReferenceIndex::everything;
    if (!entry) break;
    Result<void> done;
    index.each_key(entry->number, entry->document, [&](std::string_view key) {
      if (done) done = put(tables().references, key, {});
    });
    if (!done) return done;
    if (i % documents_between_looks == 0 && Clock::now() >= deadline) break;
  }
  return put(tables().indexes, index.key(), index.value());
}

Result<void> LmdbTransaction::write_records() {
  for (auto& [number, loaded] : records_) {
    if (!loaded.changed) continue;
    if (auto done = put(tables().collections, bytes_of(number), loaded.record.encode()); !done) {
      return done;
    }
  }
  return put(tables().meta, state_key, state_.encode());
}

Result<void> LmdbTransaction::put(MDB_dbi table, std::string_view key, std::string_view value,
                                  unsigned flags) {
  MDB_val key_value = value_of(key);
  MDB_val data = value_of(value);
  bytes_written_ += key.size() + value.size();
  return outcome(mdb_put(transaction_, table, &key_value, &data, flags));
}

Result<void> LmdbTransaction::erase(MDB_dbi table, std::string_view key) {
  MDB_val key_value = value_of(key);
  bytes_written_ += environment_.file().page_size();
  return outcome(mdb_del(transaction_, table, &key_value, nullptr));
}

Result<void> LmdbTransaction::outcome(int code) {
  if (code == MDB_SUCCESS) return {};
  if (code == MDB_KEYEXIST || code == MDB_NOTFOUND) {
    return error(Errc::internal, "the store's tables do not agree: run `doctor check`");
  }
  return environment_.failure(code, bytes_written_);
}

}  // namespace doctor::store
