#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace doctor::client {

/// Codes of errors that the library makes itself. All others come from the peer: those of JSON-RPC
/// 2.0 §5.1 are negative, an application's own are positive.
enum class Code : std::int32_t {
  invalid_argument = -32'602,  ///< what the caller gave cannot be used; the message says why
  internal = -32'603,          ///< the machine or the library failed
  communication = 5'022,       ///< no connection, it was lost, or no answer came in time
  too_large = 5'023,           ///< the connection was given up: Options::frame_max was passed
};

/// A failure as a value.
struct Error {
  std::int32_t code = 0;
  std::string message;  ///< for a person, without a newline
  std::string data;     ///< JSON, from the peer (of an ERROR, what it says); empty: none

  bool is(Code which) const { return code == static_cast<std::int32_t>(which); }
  friend bool operator==(const Error&, const Error&) = default;
};

inline Error error(Code code, std::string message) {
  return {static_cast<std::int32_t>(code), std::move(message), {}};
}

/// Either a T or an Error: `if (!result) return result.error();`. What it does not hold must not be
/// asked for: that throws std::bad_variant_access.
template <class T>
class Expected {
 public:
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Expected(Error failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

/// Done, or an Error.
template <>
class Expected<void> {
 public:
  Expected() = default;
  Expected(Error failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  explicit operator bool() const { return state_.index() == 0; }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<std::monostate, Error> state_;
};

}  // namespace doctor::client
