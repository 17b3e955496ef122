#pragma once

#include <cstddef>

#include "doctor/base/limits.hpp"

namespace doctor::stomp {

/// What one frame may have. Sizes are octets. A refusal names the bound as `stomp_` and its name
/// here.
struct FrameLimits {
  std::size_t headers = Limits{}.stomp_headers;
  std::size_t header_line = Limits{}.stomp_header_line;
  std::size_t header_block = Limits{}.stomp_header_block;
  std::size_t body = Limits{}.stomp_body;

  static FrameLimits of(const Limits& limits) {
    return {limits.stomp_headers, limits.stomp_header_line, limits.stomp_header_block,
            limits.stomp_body};
  }
};

}  // namespace doctor::stomp
