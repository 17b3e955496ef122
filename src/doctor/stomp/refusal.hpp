#pragma once

#include <cstdint>
#include <string_view>

#include <boost/system/result.hpp>

namespace doctor::stomp {

/// Why a peer is refused, for the one who counts.
enum class Fault : std::uint8_t {
  malformed,    ///< octets that are not STOMP
  protocol,     ///< a frame that may not come here, or lacks a header
  limit,        ///< a bound was passed, which the message names
  unsupported,  ///< a version or an option that is not served
  forbidden,    ///< who sent it may not do that
};

/// What a frame is answered with that is not accepted.
struct Refusal {
  Fault fault = Fault::malformed;
  std::string_view message;  ///< for the ERROR frame's header `message`; a literal
};

/// For boost::system::result: value() of a refused result is a bug and throws.
[[noreturn]] void throw_exception_from_error(const Refusal& refusal,
                                             const boost::source_location& where);

template <class T>
using Decoded = boost::system::result<T, Refusal>;

}  // namespace doctor::stomp
