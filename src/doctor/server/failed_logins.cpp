#include "doctor/base/log.hpp"
#include "doctor/server/shared.hpp"

namespace doctor::server {
namespace {

// However many addresses there are: guessing must not fill the log.
constexpr std::size_t lines_a_minute = 60;

constexpr std::array<const char*, 3> names = {"HTTP", "MQTT", "STOMP"};

}  // namespace

std::chrono::milliseconds FailedLogins::note(Over over, std::string_view address,
                                             Clock::time_point now) {
  const auto index = static_cast<std::size_t>(over);
  counts_[index].fetch_add(1, std::memory_order_relaxed);
  std::unique_lock lock(mutex_);
  const LoginThrottle::Failure failure = throttle_.failed(address, now);
  const bool tell = failure.tell && may_log(now);
  lock.unlock();
  if (tell) {
    log::warning("a login failed", {{"address", std::string(address)}, {"over", names[index]}});
  }
  return failure.delay;
}

bool FailedLogins::may_log(Clock::time_point now) {
  if (lines_ == 0 || now - minute_ >= std::chrono::minutes(1)) {
    minute_ = now;
    lines_ = 0;
  }
  return ++lines_ <= lines_a_minute;
}

}  // namespace doctor::server
