#include "doctor/document/memory_view.hpp"

namespace doctor::document {

class MemoryView::MapWalk final : public Walk {
 public:
  using Documents = std::map<DocumentNumber, Document>;

  MapWalk(const Documents& documents, DocumentNumber from)
      : documents_(documents), at_(documents.lower_bound(from)) {}

  std::optional<Entry> next() override {
    if (at_ == documents_.end()) return std::nullopt;
    const auto& [number, document] = *at_++;
    return Entry{number, document.view()};
  }

 private:
  const Documents& documents_;
  Documents::const_iterator at_;
};

void MemoryView::put(std::string_view collection, std::string_view text) {
  put(collection, parse_document(text, {}, Limits{}).value());
}

void MemoryView::put(std::string_view name, Document document) {
  const auto [named, is_new] = names_.try_emplace(
      std::string(name), CollectionNumber(static_cast<std::uint32_t>(collections_.size())));
  if (is_new) {
    collections_.push_back(std::make_unique<Collection>());
    collections_.back()->name = name;
  }
  Collection& collection = *collections_[named->second.value];
  revision_ = Revision(revision_.value + 1);
  collection.revision = revision_;
  document.set_revision(revision_);
  const auto [number, is_created] =
      collection.numbers.try_emplace(document.id(), DocumentNumber(collection.next_number));
  if (is_created) ++collection.next_number;
  collection.documents.insert_or_assign(number->second, std::move(document));
}

void MemoryView::remove(std::string_view name, std::string_view id) {
  Collection& collection = *collections_[names_.find(name)->second.value];
  const auto number = collection.numbers.find(id);
  collection.documents.erase(number->second);
  collection.numbers.erase(number);
  revision_ = Revision(revision_.value + 1);
  collection.revision = revision_;
}

std::optional<CollectionNumber> MemoryView::collection(std::string_view name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

std::vector<CollectionInfo> MemoryView::collections() const {
  std::vector<CollectionInfo> all;
  for (const auto& [name, number] : names_) {
    CollectionInfo collection = info(number);
    if (collection.count > 0 && name != sessions_collection) all.push_back(std::move(collection));
  }
  return all;
}

CollectionInfo MemoryView::info(CollectionNumber number) const {
  const Collection& collection = *collections_[number.value];
  return {number, collection.name, collection.documents.size(), collection.revision};
}

std::optional<Entry> MemoryView::find(CollectionNumber number, std::string_view id) const {
  const Collection& collection = *collections_[number.value];
  const auto found = collection.numbers.find(id);
  if (found == collection.numbers.end()) return std::nullopt;
  return Entry{found->second, collection.documents.find(found->second)->second.view()};
}

std::unique_ptr<Walk> MemoryView::walk(CollectionNumber number, DocumentNumber from) const {
  return std::make_unique<MapWalk>(collections_[number.value]->documents, from);
}

std::optional<std::vector<Entry>> MemoryView::referrers(CollectionNumber, const FieldName&,
                                                        std::string_view) const {
  return std::nullopt;
}

}  // namespace doctor::document
