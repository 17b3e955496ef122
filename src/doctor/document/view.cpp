#include "doctor/document/view.hpp"

#include <algorithm>

namespace doctor::document {
namespace {

// Over documents that were found before.
class ListWalk final : public Walk {
 public:
  explicit ListWalk(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  std::optional<Entry> next() override {
    if (at_ == entries_.size()) return std::nullopt;
    return entries_[at_++];
  }

 private:
  std::vector<Entry> entries_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<CollectionNumber> PermittedView::collection(std::string_view name) const {
  return view_.collection(name);
}

std::vector<CollectionInfo> PermittedView::collections() const {
  std::vector<CollectionInfo> all = view_.collections();
  if (permissions_.reads_everything()) return all;
  std::vector<CollectionInfo> visible;
  for (CollectionInfo& info : all) {
    const Access access = access_by_name(info.number, info.name);
    if (!access.all) info.count = listed_entries(access).size();
    if (info.count > 0) visible.push_back(std::move(info));
  }
  return visible;
}

CollectionInfo PermittedView::info(CollectionNumber collection) const {
  CollectionInfo info = view_.info(collection);
  const Access access = access_by_name(collection, info.name);
  if (!access.all) info.count = listed_entries(access).size();
  return info;
}

std::optional<Entry> PermittedView::find(CollectionNumber collection, std::string_view id) const {
  const Access may = access(collection);
  if (!may.all && (may.listed == nullptr || !may.listed->contains(id))) return std::nullopt;
  return view_.find(collection, id);
}

std::unique_ptr<Walk> PermittedView::walk(CollectionNumber collection, DocumentNumber from) const {
  const Access may = access(collection);
  if (may.all) return view_.walk(collection, from);
  std::vector<Entry> entries = listed_entries(may);
  std::erase_if(entries, [from](const Entry& entry) { return entry.number < from; });
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.number < b.number; });
  return std::make_unique<ListWalk>(std::move(entries));
}

std::optional<std::vector<Entry>> PermittedView::referrers(CollectionNumber collection,
                                                           const FieldName& field,
                                                           std::string_view target) const {
  const Access may = access(collection);
  if (!may.all && may.listed == nullptr) return std::vector<Entry>{};
  auto entries = view_.referrers(collection, field, target);
  if (entries && !may.all) {
    std::erase_if(*entries,
                  [&](const Entry& entry) { return !may.listed->contains(entry.document.id()); });
  }
  return entries;
}

PermittedView::Access PermittedView::access(CollectionNumber collection) const {
  if (permissions_.reads_everything()) return {collection, true, nullptr};
  for (const Access& known : accesses_) {
    if (known.collection == collection) return known;
  }
  return accesses_.emplace_back(access_by_name(collection, view_.info(collection).name));
}

PermittedView::Access PermittedView::access_by_name(CollectionNumber collection,
                                                    std::string_view name) const {
  return {collection, permissions_.reads_all_of(name), permissions_.listed(name)};
}

std::vector<Entry> PermittedView::listed_entries(const Access& access) const {
  std::vector<Entry> entries;
  if (access.listed == nullptr) return entries;
  for (const std::string& id : *access.listed) {
    if (auto entry = view_.find(access.collection, id)) entries.push_back(*entry);
  }
  return entries;
}

}  // namespace doctor::document
