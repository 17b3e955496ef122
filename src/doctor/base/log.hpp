#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/time.hpp"

namespace doctor::log {

enum class Level { debug, info, warning, error };
enum class Format { text, json };

struct Field {
  std::string_view name;
  std::string value;
};

/// Sets what is written from now on; once, at the start, or at SIGHUP. The default is text of info
/// and above.
void configure(Level level, Format format);

/// Writes one line to standard error, with the time in UTC; any thread. Control characters in
/// values are escaped, so that what a peer sent cannot forge a line. Never pass a secret or a
/// session id.
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void info(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::info, m, f);
}
inline void warning(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::warning, m, f);
}
inline void error(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::error, m, f);
}

/// Whether a line of this level would be written: ask before making costly fields.
bool enabled(Level level);

/// "debug", "info", "warning" or "error".
std::optional<Level> parse_level(std::string_view text);
/// "text" or "json".
std::optional<Format> parse_format(std::string_view text);

/// One line as `write` writes it, newline included.
std::string render(Format format, Timestamp time, Level level, std::string_view message,
                   std::initializer_list<Field> fields);

}  // namespace doctor::log
