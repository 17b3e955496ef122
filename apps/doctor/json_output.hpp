#pragma once

#include <string>
#include <string_view>

namespace doctor::app {

/// Compact JSON laid out for a person: two blanks a level, short arrays of scalars on one line;
/// with terminal colours if `colour`.
std::string pretty(std::string_view compact, bool colour);

/// Prints JSON that a server sent, with a newline: laid out (in colours unless NO_COLOR is set) on
/// a terminal, as it was sent into a pipe or with `raw`.
void print_json(std::string_view text, bool raw);

}  // namespace doctor::app
