#include "doctor/stomp/command.hpp"

#include <algorithm>
#include <array>

namespace doctor::stomp {
namespace {

constexpr std::array<std::string_view, 15> names{
    "CONNECT", "STOMP",  "CONNECTED", "SEND",       "SUBSCRIBE", "UNSUBSCRIBE", "ACK",  "NACK",
    "BEGIN",   "COMMIT", "ABORT",     "DISCONNECT", "MESSAGE",   "RECEIPT",     "ERROR"};

}  // namespace

std::string_view name_of(Command command) {
  return names[static_cast<std::size_t>(command)];
}

std::optional<Command> command_of(std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Command>(found - names.begin());
}

}  // namespace doctor::stomp
