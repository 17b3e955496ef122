#include "doctor/store/snapshot.hpp"

namespace doctor::store {

using document::CollectionInfo;
using document::CollectionNumber;

namespace {

Error damaged(document::Revision revision) {
  return error(Errc::internal,
               "the log's entry of revision " + std::to_string(revision.value) + " is damaged");
}

}  // namespace

document::CollectionInfo info_of(CollectionNumber number, CollectionRecord record) {
  return {number, std::move(record.name), record.count, record.revision};
}

std::vector<CollectionInfo> listed(const Contents& contents, const document::View& view) {
  std::vector<CollectionInfo> infos;
  for (const CollectionNumber number : contents.collections()) {
    CollectionInfo found = view.info(number);
    if (found.count > 0 && number != sessions_number) infos.push_back(std::move(found));
  }
  return infos;
}

PooledSnapshot::PooledSnapshot(Environment& environment)
    : environment_(environment),
      reading_(environment.begin_reading()),
      contents_(reading_.contents()),
      revision_(recollection().revision(mdb_txn_id(reading_.transaction()), contents_)) {
  environment_.seen(revision_);
}

PooledSnapshot::~PooledSnapshot() {
  environment_.end_reading(std::move(reading_));
}

std::optional<CollectionNumber> PooledSnapshot::collection(std::string_view name) const {
  return recollection().collection(name, contents_);
}

std::vector<CollectionInfo> PooledSnapshot::collections() const {
  return listed(contents_, *this);
}

CollectionInfo PooledSnapshot::info(CollectionNumber collection) const {
  return info_of(collection, contents_.record(collection).value_or(CollectionRecord{}));
}

std::optional<document::Entry> PooledSnapshot::find(CollectionNumber collection,
                                                    std::string_view id) const {
  return contents_.find(collection, id);
}

std::unique_ptr<document::Walk> PooledSnapshot::walk(CollectionNumber collection,
                                                     document::DocumentNumber from) const {
  return contents_.walk(collection, from);
}

std::optional<std::vector<document::Entry>> PooledSnapshot::referrers(
    CollectionNumber collection, const document::FieldName& field, std::string_view target) const {
  const ReferenceIndex* const index = index_of(collection, field);
  if (index == nullptr) return std::nullopt;
  std::vector<document::Entry> entries;
  const std::string prefix = index->prefix(target);
  Cursor cursor(reading_.transaction(), reading_.tables().references);
  for (bool there = cursor.move(prefix, MDB_SET_RANGE); there && cursor.key().starts_with(prefix);
       there = cursor.move(MDB_NEXT)) {
    const document::DocumentNumber number = number_of_reference(cursor.key());
    const auto document = contents_.document(collection, number);
    const auto value = document ? document->find(field) : std::nullopt;
    if (value && refers_to(*value, target)) entries.push_back({number, *document});
  }
  return entries;
}

const ReferenceIndex* PooledSnapshot::index_of(CollectionNumber collection,
                                               const document::FieldName& field) const {
  for (const auto& asked : asked_) {
    if (asked->collection == collection && asked->field == field.name()) {
      return asked->index ? &*asked->index : nullptr;
    }
  }
  auto asked = std::make_unique<Asked>(Asked{collection, field.name(), std::nullopt});
  for (ReferenceIndex& index : indexes_of(reading_.transaction(), reading_.tables(), collection)) {
    if (index.complete() && index.field == field) asked->index = std::move(index);
  }
  if (!asked->index && collection != sessions_number) {
    environment_.wishes().note(collection, field.name());
  }
  asked_.push_back(std::move(asked));
  return asked_.back()->index ? &*asked_.back()->index : nullptr;
}

Result<std::vector<LogEntry>> PooledSnapshot::log(document::Revision after,
                                                  std::size_t max_bytes) const {
  std::vector<LogEntry> entries;
  if (after >= revision_) return entries;
  Cursor cursor(reading_.transaction(), reading_.tables().log);
  const std::uint64_t first = after.value + 1;
  if (!cursor.move(bytes_of(first), MDB_SET)) {
    return error(Errc::not_found,
                 "the log no longer reaches back to revision " + std::to_string(first));
  }
  std::size_t bytes = 0;
  do {
    const std::string_view stored = cursor.value();
    bytes += stored.size();
    if (bytes > max_bytes && !entries.empty()) break;
    EntryReader reader(stored);
    LogEntry entry{document::Revision{load<std::uint64_t>(cursor.key())}, reader.time(), {}};
    entry.changes.reserve(reader.size());
    take_changes(reader, reader.size(), entry.changes);
    if (!reader.sound()) return damaged(entry.revision);
    entries.push_back(std::move(entry));
  } while (cursor.move(MDB_NEXT));
  return entries;
}

Result<document::CommitPart> PooledSnapshot::log_part(document::Revision revision,
                                                      std::uint64_t from,
                                                      std::size_t max_changes) const {
  Cursor cursor(reading_.transaction(), reading_.tables().log);
  if (!cursor.move(bytes_of(revision.value), MDB_SET)) {
    return error(Errc::not_found,
                 "the log does not have revision " + std::to_string(revision.value));
  }
  EntryReader reader(cursor.value());
  if (from != 0) reader.skip_to(from);
  document::CommitPart part;
  take_changes(reader, max_changes, part.changes);
  part.next = reader.position();
  part.last = reader.at_end();
  if (!part.last && part.changes.size() < max_changes) return damaged(revision);
  return part;
}

// Appends at most `count` of the changes that the reader still has.
void PooledSnapshot::take_changes(EntryReader& reader, std::size_t count,
                                  std::vector<document::Change>& changes) const {
  CollectionNumber collection{0};
  std::string name;
  for (; count > 0 && !reader.at_end(); --count) {
    const auto change = reader.next();
    if (!change) return;
    if (change->collection != collection) {
      collection = change->collection;
      name = info(collection).name;
    }
    changes.push_back({change->kind,
                       name,
                       std::string(change->id),
                       {change->fields.begin(), change->fields.end()}});
  }
}

}  // namespace doctor::store
