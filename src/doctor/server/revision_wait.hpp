#pragma once

#include <chrono>

#include "doctor/engine/engine.hpp"
#include "doctor/server/io_thread.hpp"

namespace doctor::server {

/// Waits on the I/O thread until the engine has reached a revision, but not for longer than that:
/// whether it was in time, a snapshot tells.
Task<void> wait_for_revision(IoThread& thread, engine::Engine& engine, document::Revision revision,
                             std::chrono::milliseconds patience);

}  // namespace doctor::server
