#pragma once

#include <string>
#include <string_view>

#include "doctor/server/net.hpp"

namespace doctor::server {

/// Reads what else is there when a small buffer has been full, in large pieces, and a bounded
/// number of them: others must have a turn.
/// @param room  where a piece goes
/// @param take  `bool (std::string_view)`: false if nothing more is wanted
/// @return false if `take` said so; a failure is what the next read tells
template <class Take>
bool read_more(Stream& stream, std::string& room, Take take) {
  constexpr int pieces_in_a_turn = 16;
  for (int i = 0; i < pieces_in_a_turn; ++i) {
    error_code failure;
    const std::size_t count = stream.read_some(asio::buffer(room), failure);
    if (failure) return true;
    if (!take(std::string_view(room).substr(0, count))) return false;
    if (count < room.size()) return true;
  }
  return true;
}

}  // namespace doctor::server
