#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace doctor::stomp {

enum class Version : std::uint8_t { v1_0, v1_1, v1_2 };

/// As headers write it: `1.2`.
std::string_view name_of(Version version);

/// All that are served, as `version` of an ERROR lists them.
inline constexpr std::string_view all_versions = "1.0,1.1,1.2";

/// The highest version that is in the list of `accept-version` and is served; blanks around the
/// commas are tolerated. Nothing if there is none.
std::optional<Version> highest_common(std::string_view accept_version);

}  // namespace doctor::stomp
