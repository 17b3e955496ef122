#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace doctor {

/// A T under a name of its own, so that two kinds of number or text cannot be mixed up.
template <class Tag, class T>
struct Strong {
  T value{};

  constexpr Strong() = default;
  constexpr explicit Strong(T v) : value(std::move(v)) {}
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
  friend constexpr bool operator==(const Strong&, const Strong&) = default;
};

}  // namespace doctor

template <class Tag, class T>
struct std::hash<doctor::Strong<Tag, T>> {
  std::size_t operator()(const doctor::Strong<Tag, T>& strong) const noexcept {
    return std::hash<T>{}(strong.value);
  }
};
