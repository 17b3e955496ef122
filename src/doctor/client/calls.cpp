#include "doctor/client/calls.hpp"

#include <algorithm>
#include <limits>

#include "doctor/base/text.hpp"

namespace doctor::client {

void Calls::add(CallId call, std::string frame, const CallOptions& options, Clock::time_point now) {
  Waiting waiting;
  waiting.frame = std::move(frame);
  octets_ += waiting.frame.size();
  waiting.timeout = options.timeout;
  waiting.due = now + waiting.timeout;
  waiting.retries = options.retries;
  waiting.idempotent = options.idempotent;
  dues_.emplace(waiting.due, call);
  waiting_.emplace(call, std::move(waiting));
}

std::string Calls::sent(CallId call) {
  Waiting& waiting = waiting_.at(call);
  waiting.sent = true;
  const bool maybe_again = waiting.retries > 0 || (waiting.idempotent && !waiting.resent);
  if (maybe_again) return waiting.frame;
  octets_ -= waiting.frame.size();
  return std::exchange(waiting.frame, {});
}

void Calls::take_out(CallId call) {
  const auto found = waiting_.find(call);
  dues_.erase({found->second.due, call});
  octets_ -= found->second.frame.size();
  waiting_.erase(found);
}

std::optional<CallId> Calls::answered(std::string_view json_id) {
  if (!json_id.starts_with(prefix_) || !json_id.ends_with('"')) return std::nullopt;
  json_id.remove_prefix(prefix_.size());
  json_id.remove_suffix(1);
  const auto number = parse_unsigned(json_id, std::numeric_limits<std::uint64_t>::max());
  if (!number || !has(CallId(*number))) return std::nullopt;
  take_out(CallId(*number));
  return CallId(*number);
}

Calls::Overdue Calls::overdue(Clock::time_point now) {
  Overdue overdue;
  while (!dues_.empty() && dues_.begin()->first <= now) {
    const CallId call = dues_.begin()->second;
    Waiting& waiting = waiting_.at(call);
    if (waiting.retries == 0 || !waiting.sent) {
      take_out(call);
      overdue.given_up.push_back(call);
      continue;
    }
    --waiting.retries;
    dues_.erase(dues_.begin());
    waiting.due = now + waiting.timeout;
    dues_.emplace(waiting.due, call);
    overdue.again.push_back(call);
  }
  return overdue;
}

Clock::time_point Calls::deadline() const {
  return dues_.empty() ? Clock::time_point::max() : dues_.begin()->first;
}

Calls::Lost Calls::connection_lost() {
  Lost lost;
  for (auto& [call, waiting] : waiting_) {
    if (!waiting.sent) continue;
    const bool again = waiting.idempotent && !waiting.resent;
    (again ? lost.again : lost.lost).push_back(call);
    waiting.sent = false;
    waiting.resent = true;
  }
  for (const CallId call : lost.lost) take_out(call);
  // In the order in which they were made.
  std::sort(lost.again.begin(), lost.again.end());
  std::sort(lost.lost.begin(), lost.lost.end());
  return lost;
}

std::vector<CallId> Calls::clear() {
  std::vector<CallId> calls;
  for (const auto& [call, waiting] : waiting_) calls.push_back(call);
  std::sort(calls.begin(), calls.end());
  waiting_.clear();
  dues_.clear();
  octets_ = 0;
  return calls;
}

}  // namespace doctor::client
