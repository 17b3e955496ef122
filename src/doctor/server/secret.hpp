#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"

namespace doctor::server {

/// What is wrong with a secret, to go on after "the secret"; nothing if it is good. It is sent as a
/// header's value, so it must be able to be one.
std::optional<std::string> fault_of_secret(std::string_view secret);

/// The secret in a file, without the end of its line. Errc::invalid, naming the file.
Result<std::string> read_secret_file(const std::string& path);

}  // namespace doctor::server
