#pragma once

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/engine/command.hpp"
#include "doctor/store/store.hpp"

namespace doctor::engine {

/// Applies one command to the transaction: a function of the two, without clock, randomness or
/// thread. The command is checked completely before anything is written, so that an error of the
/// command itself (Errc::invalid, not_found, conflict, precondition_failed, too_large) leaves the
/// transaction as it was. Errc::out_of_space, unavailable and internal come from the disk and make
/// the transaction unusable.
Result<Outcome> apply(store::WriteTransaction& transaction, Command command, const Limits& limits);

/// Whether an error of `apply` leaves the transaction usable.
bool is_of_command(const Error& error);

}  // namespace doctor::engine
