#include "doctor/stomp/unacked.hpp"

#include <algorithm>
#include <iterator>

namespace doctor::stomp {

void Unacked::add(std::uint64_t number, std::size_t bytes) {
  messages_.push_back({number, bytes, false});
  bytes_ += bytes;
}

Unacked::Messages::const_iterator Unacked::lower_bound(std::uint64_t number) const {
  return std::lower_bound(
      messages_.begin(), messages_.end(), number,
      [](const Sent& sent, std::uint64_t other) { return sent.number < other; });
}

Unacked::Sent* Unacked::find(std::uint64_t number) {
  const auto place = lower_bound(number) - messages_.cbegin();
  if (static_cast<std::size_t>(place) == messages_.size()) return nullptr;
  Sent& sent = messages_[static_cast<std::size_t>(place)];
  return sent.number == number ? &sent : nullptr;
}

bool Unacked::can_settle(std::uint64_t number) const {
  const auto found = lower_bound(number);
  return found != messages_.end() && found->number == number && !found->claimed;
}

void Unacked::claim(std::uint64_t number) {
  if (Sent* sent = find(number)) sent->claimed = true;
}

void Unacked::release(std::uint64_t number) {
  if (Sent* sent = find(number)) sent->claimed = false;
}

std::size_t Unacked::settle(std::uint64_t number, bool cumulative) {
  auto end = lower_bound(number);
  const bool is_there = end != messages_.end() && end->number == number;
  const auto begin = cumulative ? messages_.cbegin() : end;
  if (is_there) ++end;
  const auto settled = static_cast<std::size_t>(std::distance(begin, end));
  for (auto sent = begin; sent != end; ++sent) bytes_ -= sent->bytes;
  messages_.erase(begin, end);
  return settled;
}

}  // namespace doctor::stomp
