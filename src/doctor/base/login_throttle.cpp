#include "doctor/base/login_throttle.hpp"

#include <algorithm>

namespace doctor {
namespace {

constexpr std::chrono::milliseconds first_delay{250};
constexpr std::chrono::minutes forgotten_after{1};
constexpr std::chrono::minutes told_again_after{1};

}  // namespace

LoginThrottle::Failure LoginThrottle::failed(std::string_view address, Clock::time_point now) {
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) {
    if (addresses_max_ == 0) return {{}, true};
    if (records_.size() >= addresses_max_) {
      by_address_.erase(records_.back().address);
      records_.pop_back();
    }
    records_.push_front({std::string(address), std::min(first_delay, delay_max_), now, now});
    by_address_.emplace(records_.front().address, records_.begin());
    return {{}, true};
  }
  Record& record = *found->second;
  records_.splice(records_.begin(), records_, found->second);
  const bool quiet = now - record.last >= forgotten_after;
  const std::chrono::milliseconds delay = quiet ? std::chrono::milliseconds{} : record.next;
  record.next = std::min(quiet ? first_delay : delay * 2, delay_max_);
  record.last = now;
  const bool tell = now - record.told >= told_again_after;
  if (tell) record.told = now;
  return {delay, tell};
}

}  // namespace doctor
