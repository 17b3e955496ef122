#pragma once

#include <optional>
#include <string_view>

namespace doctor::mqtt {

/// A topic or filter with its first level taken off; nothing is left after the last level, which
/// is something else than an empty level.
struct Levels {
  std::string_view first;
  std::optional<std::string_view> rest;
};

inline Levels split_level(std::string_view topic) {
  const auto slash = topic.find('/');
  if (slash == std::string_view::npos) return {topic, std::nullopt};
  return {topic.substr(0, slash), topic.substr(slash + 1)};
}

}  // namespace doctor::mqtt
