#pragma once

#include "doctor/document/commit.hpp"

namespace doctor::server {

struct Shared;

/// Reads the commit log of the engine that `shared` has when it is called; failures are logged.
/// What happened to sessions is left out: nobody hears of that.
document::ReadLog read_log_of(const Shared& shared);

}  // namespace doctor::server
