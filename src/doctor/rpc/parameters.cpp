#include "doctor/rpc/parameters.hpp"

#include "doctor/base/text.hpp"
#include "doctor/json/value.hpp"

namespace doctor::rpc {
namespace {

using events::rpc_error;
using events::RpcCode;
using events::RpcError;

std::string names_of(const Method& method) {
  std::string names;
  for (const Parameter& parameter : method.parameters) {
    if (!names.empty()) names += ", ";
    names += parameter.name;
  }
  return names.empty() ? "no parameters" : names;
}

// What a peer has sent may be long; it knows it anyway.
std::string_view shown(std::string_view name) {
  constexpr std::size_t max = 64;
  return name.size() <= max ? name : "...";
}

}  // namespace

RpcError wrong_parameter(std::string_view name, std::string why) {
  RpcError failure = rpc_error(RpcCode::invalid_params, std::move(why));
  failure.data = "{\"field\":" + json::quoted(shown(name)) + "}";
  return failure;
}

std::variant<Parameters, RpcError> Parameters::read(const Method& method, std::string_view params) {
  Parameters read(method);
  if (params.empty() || params == "[]") params = "{}";
  if (json::kind(params) != json::Kind::object) {
    return rpc_error(RpcCode::invalid_params,
                     "parameters are given by name, in an object: " + names_of(method));
  }
  for (const json::Member& member : json::Members(params)) {
    const std::string name = json::unescape(member.name);
    const Parameter* parameter = method.find(name);
    if (parameter == nullptr) {
      return wrong_parameter(name, "there is no parameter " + json::quoted(shown(name)) + "; " +
                                       std::string(method.name) + " takes " + names_of(method));
    }
    if (!takes(parameter->kind, member.value)) {
      return wrong_parameter(name, name + " must be " + std::string(words_of(parameter->kind)));
    }
    read.values_[static_cast<std::size_t>(parameter - method.parameters.data())] = member.value;
  }
  for (std::size_t i = 0; i < read.values_.size(); ++i) {
    const Parameter& parameter = method.parameters[i];
    if (!parameter.required || !read.values_[i].empty()) continue;
    return wrong_parameter(parameter.name, "the parameter " + std::string(parameter.name) +
                                               " is missing; " + std::string(method.name) +
                                               " takes " + names_of(method));
  }
  return read;
}

std::string_view Parameters::value(std::string_view name) const {
  const Parameter* parameter = method_->find(name);
  if (parameter == nullptr) return {};
  return values_[static_cast<std::size_t>(parameter - method_->parameters.data())];
}

std::string Parameters::text(std::string_view name) const {
  return given_text(name).value_or("");
}

std::optional<std::string> Parameters::given_text(std::string_view name) const {
  const std::string_view given = value(name);
  if (given.empty()) return std::nullopt;
  if (json::is_string(given)) return json::unescape(json::content(given));
  return std::string(given == "-0" ? "0" : given);
}

std::optional<document::Revision> Parameters::revision(std::string_view name) const {
  const auto number = parse_unsigned(value(name), UINT64_MAX);
  if (!number) return std::nullopt;
  return document::Revision{*number};
}

}  // namespace doctor::rpc
