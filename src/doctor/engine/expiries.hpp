#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "doctor/base/time.hpp"
#include "doctor/document/commit.hpp"
#include "doctor/document/view.hpp"

namespace doctor::engine {

/// When which session expires, in memory, so that nothing has to look at all sessions to know that
/// none has. Any thread.
class Expiries {
 public:
  /// All sessions of a view.
  void load(const document::View& view);
  /// What a commit did to sessions.
  void follow(const std::vector<document::SessionChange>& sessions);
  /// The sessions that have expired by `now`, those that did first, at most `max`.
  std::vector<std::string> due(Timestamp now, std::size_t max) const;

 private:
  void set(const std::string& id, const document::Session* session);

  mutable std::mutex mutex_;
  std::set<std::pair<Timestamp, std::string>> by_time_;
  std::map<std::string, Timestamp, std::less<>> by_id_;
};

}  // namespace doctor::engine
