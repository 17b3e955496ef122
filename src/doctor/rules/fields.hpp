#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace doctor::rules {

/// Which members of an object become fields of a document, and under which names. Names are
/// unescaped, and those that the object has.
struct Fields {
  using Names = std::set<std::string, std::less<>>;
  Names only{};       ///< empty: all
  Names leave_out{};  ///< of those
  std::map<std::string, std::string, std::less<>> rename{};

  /// The object with those members, in their order: compact JSON. A name that it gives to two of
  /// them stands there twice, which whoever parses it refuses.
  /// @param object  compact JSON that was checked
  std::string choose(std::string_view object) const;
};

}  // namespace doctor::rules
