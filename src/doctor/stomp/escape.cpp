#include "doctor/stomp/escape.hpp"

#include <algorithm>

namespace doctor::stomp {
namespace {

using namespace std::string_view_literals;

// What stands for the octet; empty: it has no escape in this version.
std::string_view escape_of(char c, Version version) {
  if (version == Version::v1_0) return {};
  switch (c) {
    case '\n':
      return "\\n";
    case ':':
      return "\\c";
    case '\\':
      return "\\\\";
    case '\r':
      return version == Version::v1_2 ? "\\r"sv : ""sv;
    default:
      return {};
  }
}

}  // namespace

Decoded<void> unescape(std::string_view text, Version version, std::string& out) {
  if (version == Version::v1_0) {
    out += text;
    return {};
  }
  for (;;) {
    const std::size_t escape = text.find('\\');
    out += text.substr(0, escape);
    if (escape == text.npos) return {};
    const char meant = escape + 1 < text.size() ? text[escape + 1] : '\0';
    switch (meant) {
      case 'n':
        out += '\n';
        break;
      case 'c':
        out += ':';
        break;
      case '\\':
        out += '\\';
        break;
      case 'r':
        if (version == Version::v1_2) {
          out += '\r';
          break;
        }
        [[fallthrough]];
      default:
        return Refusal{Fault::malformed, "A header has an undefined escape"};
    }
    text.remove_prefix(escape + 2);
  }
}

bool is_sayable_name(std::string_view name, Version version) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [&](char c) {
    return "\n\r:\0"sv.find(c) != std::string_view::npos && escape_of(c, version).empty();
  });
}

void escape(std::string_view value, Version version, std::string& out) {
  for (;;) {
    const std::size_t special = value.find_first_of("\n\r:\\\0"sv);
    out += value.substr(0, special);
    if (special == value.npos) return;
    const char c = value[special];
    if (const auto escaped = escape_of(c, version); !escaped.empty()) {
      out += escaped;
    } else if (c == ':' || c == '\\') {
      out += c;
    }
    value.remove_prefix(special + 1);
  }
}

}  // namespace doctor::stomp
