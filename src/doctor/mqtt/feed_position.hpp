#pragma once

#include <compare>
#include <cstdint>

#include "doctor/document/document.hpp"

namespace doctor::mqtt {

/// One change of one commit, or where a reader stands that reads it next.
struct FeedPosition {
  document::Revision revision;
  std::uint64_t index = 0;  ///< among the commit's changes

  friend auto operator<=>(const FeedPosition&, const FeedPosition&) = default;
};

}  // namespace doctor::mqtt
