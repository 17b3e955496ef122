// The frames of a WebSocket: how they are cut changes nothing, and what is held is bounded.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "doctor/server/websocket.hpp"

namespace {

struct Outcome {
  bool open = true;
  std::string payload;
  std::string control;
  bool operator==(const Outcome&) const = default;
};

Outcome receive(std::string_view input, std::size_t piece) {
  doctor::server::WebSocket socket;
  Outcome outcome;
  while (!input.empty() && outcome.open) {
    const std::size_t size = std::min(piece, input.size());
    outcome.open = socket.receive(input.substr(0, size), outcome.payload);
    input.remove_prefix(size);
  }
  socket.take_control(outcome.control);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = data[0] % 16 + 1u;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = receive(input, input.size() + 1);
  if (!(receive(input, piece) == whole)) std::abort();
  if (whole.payload.size() > input.size()) std::abort();
  // A pong of 125 octets and a close, each with its header.
  if (whole.control.size() > 2 + 125 + 4) std::abort();
  return 0;
}
