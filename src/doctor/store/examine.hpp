#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "doctor/base/result.hpp"
#include "doctor/store/lmdb.hpp"
#include "doctor/store/store.hpp"

/// What is looked at before a store is used.
namespace doctor::store {

/// Whether the file is one that LMDB can be let loose on: its head, the roots of its tables, and
/// whether it is as long as it says (a read through the map beyond the end would be a SIGBUS).
/// Errc::invalid with words if it is foreign, from another version of LMDB, or damaged. Reads a few
/// pages, however large the store is. A file that ends before pages that are free gets its whole
/// length, unless `read_only`.
Result<void> examine(const std::filesystem::path& path, bool read_only);

/// Reads all pages: each fault is told to `report` in a sentence.
/// @return how many faults; without any, LMDB can read all of the file
Result<std::uint64_t> check_pages(const std::filesystem::path& path,
                                  const std::function<void(std::string_view)>& report);

/// Whether the store is of this program and its format is known: Errc::invalid with words.
Result<void> check_format(const std::filesystem::path& path, MDB_txn* transaction,
                          const Tables& tables);

/// Reads what a store says of itself, and whether the tables can be what it says: Errc::invalid
/// with words if it is damaged.
Result<Identity> check_meta(const std::filesystem::path& path, MDB_txn* transaction,
                            const Tables& tables);

}  // namespace doctor::store
