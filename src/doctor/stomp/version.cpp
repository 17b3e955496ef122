#include "doctor/stomp/version.hpp"

#include <algorithm>
#include <array>

#include "doctor/base/text.hpp"

namespace doctor::stomp {
namespace {

constexpr std::array<std::string_view, 3> names{"1.0", "1.1", "1.2"};

}  // namespace

std::string_view name_of(Version version) {
  return names[static_cast<std::size_t>(version)];
}

std::optional<Version> highest_common(std::string_view accept_version) {
  std::optional<Version> best;
  for (;;) {
    const std::size_t comma = accept_version.find(',');
    const auto found =
        std::find(names.begin(), names.end(), trimmed(accept_version.substr(0, comma)));
    if (found != names.end()) {
      best = std::max(best, std::optional(static_cast<Version>(found - names.begin())));
    }
    if (comma == accept_version.npos) return best;
    accept_version.remove_prefix(comma + 1);
  }
}

}  // namespace doctor::stomp
