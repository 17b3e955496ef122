#include "doctor/rest/list_field.hpp"

#include <algorithm>

#include "doctor/base/text.hpp"

namespace doctor::rest {
namespace {

// Where the first `separator` outside of quoted strings stands, or the end.
std::size_t find_unquoted(std::string_view text, char separator) {
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') quoted = !quoted;
    if (quoted && text[at] == '\\') {
      ++at;
      continue;
    }
    if (!quoted && text[at] == separator) return at;
  }
  return text.size();
}

// Takes what stands before the first separator, and the separator.
std::string_view take(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, find_unquoted(text, separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return trimmed(part);
}

}  // namespace

std::optional<ListElement> ListField::next() {
  while (!rest_.empty()) {
    std::string_view element = take(rest_, ',');
    if (element.empty()) continue;
    const std::string_view value = take(element, ';');
    return ListElement{value, element};
  }
  return std::nullopt;
}

bool is_weight_zero(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = take(parameters, ';');
    if (parameter.size() < 3 || (parameter[0] != 'q' && parameter[0] != 'Q')) continue;
    if (parameter[1] != '=') continue;
    const std::string_view weight = parameter.substr(2);
    return weight.front() == '0' && weight.find_first_not_of("0.") == std::string_view::npos;
  }
  return false;
}

}  // namespace doctor::rest
