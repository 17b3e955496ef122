#include "doctor/engine/expiries.hpp"

#include "doctor/document/names.hpp"
#include "doctor/document/session.hpp"

namespace doctor::engine {

void Expiries::load(const document::View& view) {
  const auto sessions = view.collection(document::sessions_collection);
  if (!sessions) return;
  const std::lock_guard lock(mutex_);
  const auto walk = view.walk(*sessions);
  while (const auto stored = walk->next()) {
    const auto session = document::parse_session(stored->document);
    if (session) set(session->id, &*session);
  }
}

void Expiries::follow(const std::vector<document::SessionChange>& sessions) {
  if (sessions.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const document::SessionChange& change : sessions) set(change.id, change.session.get());
}

std::vector<std::string> Expiries::due(Timestamp now, std::size_t max) const {
  std::vector<std::string> ids;
  const std::lock_guard lock(mutex_);
  for (const auto& [time, id] : by_time_) {
    if (time > now || ids.size() == max) break;
    ids.push_back(id);
  }
  return ids;
}

void Expiries::set(const std::string& id, const document::Session* session) {
  if (const auto known = by_id_.find(id); known != by_id_.end()) {
    by_time_.erase({known->second, id});
    by_id_.erase(known);
  }
  if (session == nullptr || !session->expires) return;
  by_time_.insert({*session->expires, id});
  by_id_.insert({id, *session->expires});
}

}  // namespace doctor::engine
