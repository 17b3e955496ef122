#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"

namespace doctor::rest {

/// A request target (RFC 9112 §3.2) in its parts, none decoded.
struct Target {
  std::string_view authority{};   ///< of the absolute form; it then stands for Host
  std::string_view path{};        ///< without the query; `*` for the asterisk form
  std::string_view parameters{};  ///< behind the first `?`; a `#` ends it
};

Target split_target(std::string_view target);

/// The value of a parameter as it stands in `parameters`: up to the next `&`; nothing if it is not
/// there. An error if it is there more than once.
Result<std::optional<std::string_view>> find_parameter(std::string_view parameters,
                                                       std::string_view name);

/// All values of a parameter, decoded, one after another: `next` until it gives nothing.
class ParameterValues {
 public:
  ParameterValues(std::string_view parameters, std::string_view name)
      : rest_(parameters), name_(name) {}
  std::optional<std::string_view> next();

 private:
  std::string_view rest_;
  std::string_view name_;
};

/// A value of a parameter, decoded: `+` is a blank, `%XX` an octet. A `%` without two hex digits
/// behind it is itself, for `q` may be sent raw. Errc::invalid if it holds a raw blank or control.
Result<std::string> decode_parameter(std::string_view value);

/// A segment of a path, decoded strictly; Errc::invalid if a `%` has no two hex digits behind it.
Result<std::string> decode_segment(std::string_view segment);

}  // namespace doctor::rest
