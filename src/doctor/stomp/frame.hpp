#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/stomp/command.hpp"
#include "doctor/stomp/refusal.hpp"
#include "doctor/stomp/splitter.hpp"
#include "doctor/stomp/version.hpp"

namespace doctor::stomp {

struct Header {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const Header&, const Header&) = default;
};

/// A frame as it is meant. Names, values and body are views of what was decoded, or of text that
/// the frame owns where they had been escaped.
struct Frame {
  Command command{};
  std::vector<Header> headers;  ///< in order, repeated ones too
  std::string_view body;
  std::shared_ptr<const std::string> unescaped;  ///< what views may refer to; null: nothing

  /// The first one of this name.
  std::optional<std::string_view> header(std::string_view name) const;
};

/// Decodes a frame's headers under the version of its session. Only the first colon of a line
/// divides it, nothing is trimmed but, in 1.0, the blanks before a value. Refuses an escape that
/// the version does not define and what is not UTF-8.
Decoded<Frame> decode(const RawFrame& raw, Version version);

}  // namespace doctor::stomp
