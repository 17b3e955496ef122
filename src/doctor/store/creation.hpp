#pragma once

#include <cstdint>
#include <filesystem>

#include "doctor/base/result.hpp"

namespace doctor::store {

/// Makes an empty store under another name and then gives it its own, so that a file of that name
/// is always whole, however the process ends.
Result<void> create_store(const std::filesystem::path& path, std::uint64_t map_size);

}  // namespace doctor::store
