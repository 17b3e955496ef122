#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "doctor/base/result.hpp"
#include "doctor/store/file.hpp"

namespace doctor::store {

/// Makes a file under another name and then gives it its own, so that a file of that name is always
/// whole, however the process ends.
/// @param fill  gets it while it is empty, and closes it
Result<void> create_file(const std::filesystem::path& path, std::uint64_t map_size,
                         const std::function<Result<void>(std::unique_ptr<File>)>& fill);

/// Makes an empty store, by `create_file`.
Result<void> create_store(const std::filesystem::path& path, std::uint64_t map_size);

}  // namespace doctor::store
