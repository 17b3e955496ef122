#include "doctor/rules/fields.hpp"

#include "doctor/json/value.hpp"

namespace doctor::rules {

std::string Fields::choose(std::string_view object) const {
  std::string chosen;
  for (const json::Member& member : json::Members(object)) {
    const std::string name = json::unescape(member.name);
    if (!only.empty() && !only.contains(name)) continue;
    if (leave_out.contains(name)) continue;
    chosen += chosen.empty() ? '{' : ',';
    const auto renamed = rename.find(name);
    json::append_string(chosen, renamed == rename.end() ? name : renamed->second);
    chosen += ':';
    chosen += member.value;
  }
  return chosen.empty() ? "{}" : chosen + '}';
}

}  // namespace doctor::rules
