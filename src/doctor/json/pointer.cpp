#include "doctor/json/pointer.hpp"

#include <algorithm>

#include "doctor/base/text.hpp"
#include "doctor/json/value.hpp"

namespace doctor::json {

std::optional<Pointer> parse_pointer(std::string_view text) {
  Pointer pointer;
  while (!text.empty()) {
    if (text.front() != '/') return std::nullopt;
    text.remove_prefix(1);
    const std::string_view step = text.substr(0, std::min(text.find('/'), text.size()));
    Token token;
    for (std::size_t i = 0; i < step.size(); ++i) {
      if (step[i] != '~') {
        token.name += step[i];
        continue;
      }
      if (++i == step.size() || (step[i] != '0' && step[i] != '1')) return std::nullopt;
      token.name += step[i] == '0' ? '~' : '/';
    }
    const std::string string = json::quoted(token.name);
    token.spelling = content(string);
    pointer.push_back(std::move(token));
    text.remove_prefix(step.size());
  }
  return pointer;
}

std::optional<std::size_t> array_index(const Token& token, std::size_t max) {
  if (token.name.size() > 1 && token.name.front() == '0') return std::nullopt;
  return parse_unsigned(token.name, max);
}

}  // namespace doctor::json
