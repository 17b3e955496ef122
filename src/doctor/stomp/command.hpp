#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace doctor::stomp {

/// The commands of STOMP 1.2, which has those of 1.0 and 1.1.
enum class Command : std::uint8_t {
  connect,
  stomp,
  connected,
  send,
  subscribe,
  unsubscribe,
  ack,
  nack,
  begin,
  commit,
  abort,
  disconnect,
  message,
  receipt,
  error,
};

inline constexpr std::size_t command_size_max = 11;  ///< UNSUBSCRIBE

std::string_view name_of(Command command);
std::optional<Command> command_of(std::string_view name);

/// Only these may have a body.
constexpr bool has_body(Command command) {
  return command == Command::send || command == Command::message || command == Command::error;
}

/// The headers of these are never escaped, in any version: they come before it is agreed on.
constexpr bool is_before_version(Command command) {
  return command == Command::connect || command == Command::stomp || command == Command::connected;
}

}  // namespace doctor::stomp
