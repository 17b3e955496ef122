#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"

namespace doctor::query {

/// Where in a query a value stands (`where.$and[1].status`). Kept on the stack on the way down, and
/// written out only when there is something to complain about.
class Place {
 public:
  explicit Place(std::string_view key) : key_(key) {}
  Place(const Place& parent, std::string_view key) : parent_(&parent), key_(key) {}
  Place(const Place& parent, std::size_t index)
      : parent_(&parent), index_(index), is_index_(true) {}

  std::string text() const;

 private:
  const Place* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
  bool is_index_ = false;
};

/// Errc::invalid with the place as `field`.
Error wrong(const Place& place, std::string detail);

/// As much of a text as an error repeats, in backquotes.
std::string shown(std::string_view text);

/// What a JSON value is, for a person: `a number`.
std::string_view kind_name(std::string_view value);

}  // namespace doctor::query
