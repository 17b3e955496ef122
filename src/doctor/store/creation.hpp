#pragma once

#include <cstdint>
#include <filesystem>

#include "doctor/base/result.hpp"
#include "doctor/store/lmdb.hpp"
#include "doctor/store/store.hpp"

/// The making of a store, and what is looked at before one is used.
namespace doctor::store {

/// Makes an empty store under another name and then gives it its own, so that a file of that name
/// is always whole, however the process ends.
Result<void> create_store(const std::filesystem::path& path, std::uint64_t map_size);

/// Whether the file is one that LMDB can be let loose on: Errc::invalid with words if it is
/// foreign, from another version of LMDB, or shorter than it says (a read through the map would
/// then be a SIGBUS).
Result<void> examine(const std::filesystem::path& path);

/// Whether the store is of this program and its format is known: Errc::invalid with words.
Result<void> check_format(const std::filesystem::path& path, MDB_txn* transaction,
                          const Tables& tables);

/// Reads what a store says of itself, and whether the tables can be what it says: Errc::invalid
/// with words if it is damaged.
Result<Identity> check_meta(const std::filesystem::path& path, MDB_txn* transaction,
                            const Tables& tables);

}  // namespace doctor::store
