#include "doctor/stomp/heart_beat.hpp"

#include <algorithm>

#include "doctor/base/text.hpp"

namespace doctor::stomp {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds interval_min = 1'000ms;
constexpr std::uint64_t interval_max_ms = 0xFFFF'FFFF;  // 49 days; more is no number of beats
constexpr milliseconds slack = 2'000ms;

std::optional<milliseconds> parse_interval(std::string_view text) {
  const auto number = parse_unsigned(text, interval_max_ms);
  if (!number) return std::nullopt;
  return milliseconds(*number);
}

milliseconds at_least_a_second(milliseconds interval) {
  return interval == 0ms ? 0ms : std::max(interval, interval_min);
}

}  // namespace

std::string HeartBeat::text() const {
  return std::to_string(sends.count()) + "," + std::to_string(wants.count());
}

std::optional<HeartBeat> parse_heart_beat(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == text.npos) return std::nullopt;
  const auto sends = parse_interval(text.substr(0, comma));
  const auto wants = parse_interval(text.substr(comma + 1));
  if (!sends || !wants) return std::nullopt;
  return HeartBeat{*sends, *wants};
}

HeartBeat offered_to(const HeartBeat& client) {
  return {at_least_a_second(client.wants), at_least_a_second(client.sends)};
}

Clock::duration beat_after(milliseconds interval) {
  return Clock::duration(interval) * 3 / 4;
}

Clock::duration dead_after(milliseconds interval) {
  return std::max(2 * interval, interval + slack);
}

}  // namespace doctor::stomp
