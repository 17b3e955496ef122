#include "doctor/rest/active_sessions.hpp"

#include <algorithm>

#include "doctor/document/names.hpp"
#include "doctor/document/session.hpp"
#include "doctor/json/value.hpp"

namespace doctor::rest {
namespace {

using document::CollectionNumber;
using document::DocumentNumber;
using document::Entry;

bool is_active(const Entry& entry, Timestamp now) {
  static const document::FieldName expires("expires");
  const auto value = entry.document.find(expires);
  if (!value || !json::is_string(*value)) return true;
  const auto time = document::parse_rfc3339(json::unescape(json::content(*value)));
  return !time || *time > now;
}

class ActiveWalk final : public document::Walk {
 public:
  ActiveWalk(std::unique_ptr<document::Walk> walk, Timestamp now)
      : walk_(std::move(walk)), now_(now) {}

  std::optional<Entry> next() override {
    while (auto entry = walk_->next()) {
      if (is_active(*entry, now_)) return entry;
    }
    return std::nullopt;
  }

 private:
  std::unique_ptr<document::Walk> walk_;
  Timestamp now_;
};

}  // namespace

ActiveSessions::ActiveSessions(const document::View& view, Timestamp now)
    : view_(view), now_(now), sessions_(view.collection(document::sessions_collection)) {}

std::optional<CollectionNumber> ActiveSessions::collection(std::string_view name) const {
  return view_.collection(name);
}

std::vector<document::CollectionInfo> ActiveSessions::collections() const {
  return view_.collections();
}

document::CollectionInfo ActiveSessions::info(CollectionNumber collection) const {
  document::CollectionInfo info = view_.info(collection);
  if (collection == sessions_) {
    info.count = 0;
    const auto sessions = walk(collection, DocumentNumber{0});
    while (sessions->next()) ++info.count;
  }
  return info;
}

std::optional<Entry> ActiveSessions::find(CollectionNumber collection, std::string_view id) const {
  auto entry = view_.find(collection, id);
  if (entry && collection == sessions_ && !is_active(*entry, now_)) return std::nullopt;
  return entry;
}

std::unique_ptr<document::Walk> ActiveSessions::walk(CollectionNumber collection,
                                                     DocumentNumber from) const {
  auto all = view_.walk(collection, from);
  if (collection != sessions_) return all;
  return std::make_unique<ActiveWalk>(std::move(all), now_);
}

std::optional<std::vector<Entry>> ActiveSessions::referrers(CollectionNumber collection,
                                                            const document::FieldName& field,
                                                            std::string_view target) const {
  auto entries = view_.referrers(collection, field, target);
  if (entries && collection == sessions_) {
    std::erase_if(*entries, [this](const Entry& entry) { return !is_active(entry, now_); });
  }
  return entries;
}

}  // namespace doctor::rest
