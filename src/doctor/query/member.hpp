#pragma once

#include <optional>
#include <string_view>

#include "doctor/document/names.hpp"
#include "doctor/json/value.hpp"

namespace doctor::query {

/// The value of a key in a nested object, where names are spelt as they were sent.
inline std::optional<std::string_view> member_of(std::string_view object,
                                                 const document::FieldName& name) {
  for (const json::Member& member : json::Members(object)) {
    const bool plain = member.name.find('\\') == std::string_view::npos;
    if (plain ? member.name == name.name() : json::unescape(member.name) == name.name()) {
      return member.value;
    }
  }
  return std::nullopt;
}

}  // namespace doctor::query
