#pragma once

#include <string>
#include <string_view>

#include "doctor/stomp/refusal.hpp"
#include "doctor/stomp/version.hpp"

namespace doctor::stomp {

/// Appends what the header text means: 1.0 has no escapes, 1.1 `\n` `\c` `\\`, 1.2 also `\r`. An
/// escape that the version does not define is refused.
Decoded<void> unescape(std::string_view text, Version version, std::string& out);

/// Whether a header of this name can be said in this version: 1.0 has no way to write a colon or
/// an end of line, 1.1 none to write CR. No version has one to write NUL.
bool is_sayable_name(std::string_view name, Version version);

/// Appends the value as this version writes it; what it has no way to write is left out.
void escape(std::string_view value, Version version, std::string& out);

}  // namespace doctor::stomp
