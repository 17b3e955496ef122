#include "doctor/engine/authority.hpp"

#include <mutex>
#include <unordered_map>

#include "doctor/document/names.hpp"

namespace doctor::engine {
namespace {

// Of the sessions that are known and were asked for; when it is full, it starts anew.
constexpr std::size_t remembered_max = 10'000;

struct Remembered {
  document::Revision revision;
  std::shared_ptr<const document::Session> session;
};

}  // namespace

struct Authority::Cache {
  std::mutex mutex;  // guards sessions
  std::unordered_map<std::string, Remembered> sessions;
};

Authority::Authority(std::optional<std::string> secret) : cache_(std::make_shared<Cache>()) {
  if (secret) secret_ = sha256(*secret);
}

bool Authority::is_secret(std::string_view presented) const {
  return secret_ && equal_in_constant_time(sha256(presented), *secret_);
}

std::shared_ptr<const document::Session> Authority::session(const document::View& view,
                                                            std::string_view id,
                                                            Timestamp now) const {
  if (!document::is_session_id(id)) return nullptr;
  const auto sessions = view.collection(document::sessions_collection);
  const auto stored = sessions ? view.find(*sessions, id) : std::nullopt;
  if (!stored) return nullptr;
  const document::Revision revision = stored->document.revision();
  std::shared_ptr<const document::Session> session;
  const std::string key(id);
  {
    const std::lock_guard lock(cache_->mutex);
    const auto known = cache_->sessions.find(key);
    if (known != cache_->sessions.end() && known->second.revision == revision) {
      session = known->second.session;
    }
  }
  if (session == nullptr) {
    auto parsed = document::parse_session(stored->document);
    if (!parsed) return nullptr;
    session = std::make_shared<const document::Session>(std::move(*parsed));
    const std::lock_guard lock(cache_->mutex);
    if (cache_->sessions.size() >= remembered_max) cache_->sessions.clear();
    cache_->sessions.insert_or_assign(key, Remembered{revision, session});
  }
  return session->expired(now) ? nullptr : session;
}

}  // namespace doctor::engine
