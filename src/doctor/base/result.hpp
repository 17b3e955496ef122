#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <boost/system/result.hpp>

namespace doctor {

/// What went wrong, by what the one who asked can do about it. One table maps these to HTTP
/// (rest/problem.cpp); nothing else switches on them. MQTT has its own codes (mqtt/reason.hpp).
enum class Errc : std::uint8_t {
  invalid,              ///< what was sent is wrong: sending it again will not help (400)
  unauthenticated,      ///< no or wrong credentials (401)
  forbidden,            ///< refused whatever the credentials: a foreign origin or host (403)
  not_found,            ///< there is no such thing, or the reader may not know of it (404)
  method_not_allowed,   ///< the resource exists, but not for this method (405)
  not_acceptable,       ///< nothing that can be sent is accepted (406)
  timed_out,            ///< the peer took too long (408)
  conflict,             ///< right in itself, but does not fit the document as it is (409)
  precondition_failed,  ///< If-Match or If-None-Match does not hold (412)
  too_large,            ///< over a size limit, which the detail names (413)
  target_too_long,      ///< the request target is over its limit (414)
  unsupported_type,     ///< a Content-Type that this resource does not take (415)
  headers_too_large,    ///< the header block is over its limit (431)
  too_many,             ///< too much at once; try again later (429)
  unavailable,          ///< not now: shutting down, overloaded, the store takes no writes (503)
  out_of_space,         ///< the disk or the store's map is full; reads and deletes go on (507)
  internal,             ///< a bug, or a disk that does not do what it should (500)
};

/// A failure as a value. `detail` is one sentence for a person: what was wrong and where, without
/// a newline, never a secret or a session id. The others are set where they apply.
struct Error {
  Errc code = Errc::internal;
  std::string detail;
  std::string field;                      ///< the top-level field, or the place in a query
  std::string id;                         ///< the document of a bulk write
  std::optional<std::uint64_t> offset{};  ///< byte offset in the text that was sent, from 0
};

inline Error error(Errc code, std::string detail) {
  return {code, std::move(detail), {}, {}, {}};
}
inline Error invalid(std::string detail) {
  return error(Errc::invalid, std::move(detail));
}

/// For boost::system::result: value() of a failed result is a bug and throws.
[[noreturn]] void throw_exception_from_error(const Error& failure,
                                             const boost::source_location& where);

/// Either a T or an Error: `if (!result) return result.error();`.
template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace doctor
