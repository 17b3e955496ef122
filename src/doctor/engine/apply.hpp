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
///
/// The entries that the command's own one pushes out of the log go with it, by the command's time,
/// a few at a time.
///
/// @param command  its documents get their revision; otherwise it stays as it is, and can be
///                 applied again to another transaction
Result<Outcome> apply(store::WriteTransaction& transaction, Command& command, const Limits& limits);

/// Whether an error of `apply` leaves the transaction usable.
bool is_of_command(const Error& failure);

/// Whether the command can only remove, so that it may use the store's reserve.
bool only_removes(const Command& command);

}  // namespace doctor::engine
