#include "doctor/rest/prefer.hpp"

#include "doctor/base/text.hpp"
#include "doctor/rest/list_field.hpp"

namespace doctor::rest {

bool prefers_minimal(std::string_view prefer) {
  ListField preferences(prefer);
  while (const auto preference = preferences.next()) {
    const auto equals = preference->value.find('=');
    if (equals == std::string_view::npos) continue;
    if (!equal_ignoring_case(trimmed(preference->value.substr(0, equals)), "return")) continue;
    std::string_view value = trimmed(preference->value.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return equal_ignoring_case(value, "minimal");
  }
  return false;
}

}  // namespace doctor::rest
