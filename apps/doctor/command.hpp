#pragma once

#include <functional>

#include <CLI/CLI.hpp>

namespace doctor::app {

/// Exit statuses of every sub-command; `doctor --help` tells them.
inline constexpr int exit_success = 0;
inline constexpr int exit_failure = 1;      ///< it was tried and did not succeed
inline constexpr int exit_usage = 2;        ///< the command line or the configuration is wrong
inline constexpr int exit_unreachable = 3;  ///< a client got no answer from the server

/// What the chosen sub-command will do once the command line has been read; its exit status.
using Run = std::function<int()>;

// Each sub-command has a file of its own with one function that adds it to the program: its options
// are kept alive by the callback, which sets `run`.
void add_serve(CLI::App& program, Run& run);
void add_check(CLI::App& program, Run& run);
void add_get(CLI::App& program, Run& run);
void add_query(CLI::App& program, Run& run);
void add_post(CLI::App& program, Run& run);
void add_put(CLI::App& program, Run& run);
void add_patch(CLI::App& program, Run& run);
void add_delete(CLI::App& program, Run& run);
void add_import(CLI::App& program, Run& run);
void add_export(CLI::App& program, Run& run);
void add_sessions(CLI::App& program, Run& run);
void add_clients(CLI::App& program, Run& run);
void add_events(CLI::App& program, Run& run);
void add_rpc(CLI::App& program, Run& run);

}  // namespace doctor::app
