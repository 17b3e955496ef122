#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "client.hpp"
#include "doctor/client/client.hpp"

namespace doctor::app {

/// The options of sub-commands that speak STOMP; `server` is `stomp://host:port` or `stomps://`.
struct StompOptions : ClientOptions {
  StompOptions() { server = "stomp://localhost:61613"; }
  bool vdsm = false;
};

/// Adds the options (but `--json`) to a sub-command; they are kept alive by it.
std::shared_ptr<StompOptions> add_stomp_options(CLI::App& command);

/// Where `server` says, with the credentials. Errc::invalid: it is no such address, or a file
/// cannot be read.
Result<client::Options> stomp_options(const StompOptions& options);

/// Writes `doctor COMMAND: text` to standard error.
void complain(const std::string& command, std::string_view text);

/// Tells it, as `complain`.
/// @return what to exit with: whether the peer refused or could not be reached
int tell_failure(const std::string& command, const client::Error& failure);

}  // namespace doctor::app
