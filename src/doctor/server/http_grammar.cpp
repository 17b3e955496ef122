#include "doctor/server/http_grammar.hpp"

#include <algorithm>
#include <array>

#include "doctor/base/text.hpp"

namespace doctor::server::grammar {
namespace {

constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> is{};
  for (int c = '0'; c <= '9'; ++c) is[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) is[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) is[static_cast<std::size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) is[static_cast<std::size_t>(c)] = true;
  return is;
}();

constexpr bool is_control(unsigned char c) {
  return c < 0x20 || c == 0x7F;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return token_characters[c]; });
}

bool is_visible(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c <= 0x20 || c == 0x7F; });
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return is_control(c) && c != '\t'; });
}

Result<rest::Header> read_field(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) {
    return malformed("a header is folded over two lines, which is obsolete");
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(0, colon);
  if (colon == line.size() || !is_token(name)) {
    return malformed("a header's name is not a token with a colon behind it");
  }
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_field_value(value)) return malformed("a header's value has a control character");
  return rest::Header{name, value};
}

}  // namespace doctor::server::grammar
