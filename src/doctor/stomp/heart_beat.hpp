#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/time.hpp"

namespace doctor::stomp {

/// The header `heart-beat`: how often its sender can send one, and how often it would like one from
/// the other side, at least; 0: not at all.
struct HeartBeat {
  std::chrono::milliseconds sends{};
  std::chrono::milliseconds wants{};

  std::string text() const;
  friend bool operator==(const HeartBeat&, const HeartBeat&) = default;
};

/// Nothing if it is malformed.
std::optional<HeartBeat> parse_heart_beat(std::string_view text);

/// What a server offers to such a client: just what it asked for, but no beat oftener than once a
/// second.
HeartBeat offered_to(const HeartBeat& client);

/// After how much silence a beat is due. Hardly before it must be: oVirt's Java client keeps each
/// lone LF in a buffer of 1024 octets until a frame comes, and is deaf once it is full.
Clock::duration beat_after(std::chrono::milliseconds interval);

/// After how much silence a peer that promised this is dead.
Clock::duration dead_after(std::chrono::milliseconds interval);

}  // namespace doctor::stomp
