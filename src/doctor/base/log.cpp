#include "doctor/base/log.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <unistd.h>

namespace doctor::log {
namespace {

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};

std::atomic<Level> least{Level::info};
std::atomic<Format> format_now{Format::text};

std::string utc(Timestamp time) {
  const std::time_t seconds = time.value / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 24> day{};
  std::strftime(day.data(), day.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> milliseconds{};
  std::snprintf(milliseconds.data(), milliseconds.size(), ".%03dZ",
                static_cast<int>(time.value % 1000));
  return std::string(day.data()) + milliseconds.data();
}

// Escapes as in a JSON string; whatever is not printable ASCII and not part of UTF-8 too, so that a
// terminal gets no control sequence from a peer.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20 || octet == 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", octet);
      out += escape.data();
    } else {
      out += c;
    }
  }
}

bool is_plain(std::string_view value) {
  if (value.empty()) return false;
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet <= 0x20 || octet >= 0x7F || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

}  // namespace

void configure(Level level, Format format) {
  least.store(level, std::memory_order_relaxed);
  format_now.store(format, std::memory_order_relaxed);
}

bool enabled(Level level) {
  return level >= least.load(std::memory_order_relaxed);
}

std::string render(Format format, Timestamp time, Level level, std::string_view message,
                   std::initializer_list<Field> fields) {
  const std::string_view name = level_names[static_cast<std::size_t>(level)];
  std::string line;
  if (format == Format::json) {
    line = "{\"time\":\"" + utc(time) + "\",\"level\":\"" + std::string(name) + "\",\"message\":";
    append_quoted(line, message);
    for (const Field& field : fields) {
      line += ',';
      append_quoted(line, field.name);
      line += ':';
      append_quoted(line, field.value);
    }
    line += '}';
  } else {
    line = utc(time) + ' ' + std::string(name) + ' ';
    append_escaped(line, message);
    for (const Field& field : fields) {
      line += ' ';
      line += field.name;
      line += '=';
      if (is_plain(field.value)) {
        line += field.value;
      } else {
        append_quoted(line, field.value);
      }
    }
  }
  line += '\n';
  return line;
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string line =
      render(format_now.load(std::memory_order_relaxed),
             Timestamp{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()}, level,
             message, fields);
  // One call a line: lines of several threads do not mix. There is nobody to tell of a failure.
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::optional<Level> parse_level(std::string_view text) {
  for (std::size_t i = 0; i < level_names.size(); ++i) {
    if (text == level_names[i]) return static_cast<Level>(i);
  }
  return std::nullopt;
}

std::optional<Format> parse_format(std::string_view text) {
  if (text == "text") return Format::text;
  if (text == "json") return Format::json;
  return std::nullopt;
}

}  // namespace doctor::log
