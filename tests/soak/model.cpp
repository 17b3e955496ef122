#include "model.hpp"

#include <algorithm>
#include <optional>

namespace soak {

bool matches(std::string_view id, const EventName& event) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= id.size();) {
    const std::size_t end = std::min(id.find('|', begin), id.size());
    parts.push_back(id.substr(begin, end - begin));
    begin = end + 1;
  }
  for (std::size_t i = 0; i < event.size(); ++i) {
    if (parts.at(i + 1) != "*" && parts[i + 1] != event[i]) return false;
  }
  return true;
}

std::size_t Log::matching(std::size_t publisher, std::size_t begin, std::size_t end,
                          const std::vector<std::string>& ids) const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const EventName& event = events_[publisher][i];
    count += std::any_of(ids.begin(), ids.end(), [&](const auto& id) { return matches(id, event); })
                 ? 1
                 : 0;
  }
  return count;
}

void Account::heard(std::size_t publisher, std::size_t number, Time arrived) {
  if (publisher >= log_->publishers() || number >= log_->size(publisher)) {
    wrong_ = "heard what nobody has published";
  } else if (log_->matching(publisher, number, number + 1, ids_) == 0) {
    wrong_ = "heard what it did not ask for";
  } else {
    heard_.push_back({publisher, number, arrived});
  }
}

std::string Account::fault(const std::vector<Outage>& outages, std::uint64_t dropped_by_peer,
                           const std::vector<std::size_t>& published) const {
  if (!wrong_.empty()) return wrong_;
  const auto excused = [&outages](Time before, Time after) {
    return std::any_of(outages.begin(), outages.end(), [&](const Outage& outage) {
      return before <= outage.end && after >= outage.begin;
    });
  };
  std::uint64_t missing = 0;
  for (std::size_t publisher = 0; publisher < log_->publishers(); ++publisher) {
    std::optional<std::size_t> next;  // the number that must come next, if one must
    if (!from_.empty()) next = from_[publisher];
    std::optional<std::size_t> last;
    Time before = Time::min();
    for (const Heard& heard : heard_) {
      if (heard.publisher != publisher) continue;
      if (last && heard.number <= *last) {
        return "heard " + std::to_string(heard.number) + " of publisher " +
               std::to_string(publisher) + " after " + std::to_string(*last);
      }
      if (next && *next < heard.number && !excused(before, heard.arrived)) {
        missing += log_->matching(publisher, *next, heard.number, ids_);
      }
      last = heard.number;
      next = heard.number + 1;
      before = heard.arrived;
    }
    if (next && !published.empty() && *next < published[publisher] &&
        !excused(before, Time::max())) {
      missing += log_->matching(publisher, *next, published[publisher], ids_);
    }
  }
  const std::uint64_t told = told_ + dropped_by_peer;
  if (missing <= told) return {};
  return "lost " + std::to_string(missing) + " events and was told of " + std::to_string(told);
}

}  // namespace soak
