#include "doctor/store/contents.hpp"

namespace doctor::store {
namespace {

using document::CollectionNumber;
using document::DocumentNumber;
using document::DocumentView;

class DocumentWalk final : public document::Walk {
 public:
  DocumentWalk(MDB_txn* transaction, MDB_dbi documents, std::uint64_t from)
      : cursor_(transaction, documents), collection_(collection_of(from)), from_(from) {}

  std::optional<document::Entry> next() override {
    if (ended_) return std::nullopt;
    const bool there =
        begun_ ? cursor_.move(MDB_NEXT) : cursor_.move(bytes_of(from_), MDB_SET_RANGE);
    begun_ = true;
    const std::uint64_t key = there ? load<std::uint64_t>(cursor_.key()) : 0;
    if (!there || collection_of(key) != collection_) {
      ended_ = true;
      return std::nullopt;
    }
    return document::Entry{number_of(key), DocumentView(cursor_.value())};
  }

 private:
  Cursor cursor_;
  CollectionNumber collection_;
  std::uint64_t from_;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace

State Contents::state() const {
  const auto bytes = get(transaction_, tables_->meta, state_key);
  return bytes ? State::decode(*bytes).value_or(State{}) : State{};
}

std::optional<CollectionNumber> Contents::collection(std::string_view name) const {
  if (name.empty() || name.size() > key_size_max) return std::nullopt;
  const auto number = get(transaction_, tables_->names, name);
  if (!number) return std::nullopt;
  return CollectionNumber{load<std::uint32_t>(*number)};
}

std::optional<CollectionRecord> Contents::record(CollectionNumber collection) const {
  const auto bytes = get(transaction_, tables_->collections, bytes_of(collection.value));
  return bytes ? CollectionRecord::decode(*bytes) : std::nullopt;
}

std::vector<CollectionNumber> Contents::collections() const {
  std::vector<CollectionNumber> numbers;
  Cursor cursor(transaction_, tables_->names);
  for (bool there = cursor.move(MDB_FIRST); there; there = cursor.move(MDB_NEXT)) {
    numbers.emplace_back(load<std::uint32_t>(cursor.value()));
  }
  return numbers;
}

std::optional<DocumentNumber> Contents::number(CollectionNumber collection,
                                               std::string_view id) const {
  const auto key = IdKey::make(collection, id);
  if (!key) return std::nullopt;
  const auto number = get(transaction_, tables_->ids, key->bytes());
  if (!number) return std::nullopt;
  return DocumentNumber{load<std::uint64_t>(*number)};
}

std::optional<DocumentView> Contents::document(CollectionNumber collection,
                                               DocumentNumber number) const {
  const std::uint64_t key = document_key(collection, number);
  const auto stored = get(transaction_, tables_->documents, bytes_of(key));
  if (!stored) return std::nullopt;
  return DocumentView(*stored);
}

std::optional<document::Entry> Contents::find(CollectionNumber collection,
                                              std::string_view id) const {
  const auto place = number(collection, id);
  if (!place) return std::nullopt;
  const auto found = document(collection, *place);
  if (!found) return std::nullopt;
  return document::Entry{*place, *found};
}

std::unique_ptr<document::Walk> Contents::walk(CollectionNumber collection,
                                               DocumentNumber from) const {
  return std::make_unique<DocumentWalk>(transaction_, tables_->documents,
                                        document_key(collection, from));
}

}  // namespace doctor::store
