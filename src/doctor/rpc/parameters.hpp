#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "doctor/document/document.hpp"
#include "doctor/events/json_rpc.hpp"
#include "doctor/rpc/methods.hpp"

namespace doctor::rpc {

/// The parameters of a call, all of them known to its method and of the kinds that it takes. Refers
/// to the text that they were read from.
class Parameters {
 public:
  /// @param params  compact JSON, or empty. By name: an object; an empty array has none either.
  /// An error -32602 that names the parameter which is unknown, missing or of another kind.
  static std::variant<Parameters, events::RpcError> read(const Method& method,
                                                         std::string_view params);

  /// The value as JSON; empty if it was not given.
  std::string_view value(std::string_view name) const;
  /// The characters of a string or the digits of an integer; empty if it was not given.
  std::string text(std::string_view name) const;
  std::optional<std::string> given_text(std::string_view name) const;
  std::optional<document::Revision> revision(std::string_view name) const;
  bool flag(std::string_view name) const { return value(name) == "true"; }

 private:
  explicit Parameters(const Method& method) : method_(&method), values_(method.parameters.size()) {}

  const Method* method_;
  std::vector<std::string_view> values_;  // in the order of the method's; empty: not given
};

/// -32602 about one parameter, which `data` names as `field`.
events::RpcError wrong_parameter(std::string_view name, std::string why);

}  // namespace doctor::rpc
