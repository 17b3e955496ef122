#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "doctor/rest/route.hpp"

namespace doctor::rpc {

/// What a parameter takes.
enum class Kind : std::uint8_t {
  text,
  id,  ///< a string, or an integer, which stands for its decimal text
  object,
  array,
  object_or_array,
  query,  ///< an object, or null, which is no query
  revision,
  flag,
};

struct Parameter {
  std::string_view name;
  Kind kind = Kind::text;
  bool required = false;
  std::string_view about;
};

/// What a method does: something of its own, or a request of the document API.
enum class Action : std::uint8_t { ping, echo, info, methods, request };

struct Method {
  std::string_view name;
  Action action = Action::request;
  rest::Method verb = rest::Method::other;
  rest::Resource resource = rest::Resource::unknown;
  std::span<const Parameter> parameters;
  std::string_view member;  ///< of the result, for a read: what holds what was read
  std::string_view result;  ///< for a person
  std::string_view about;   ///< for a person

  bool is_request() const { return action == Action::request; }
  bool is_write() const { return is_request() && verb != rest::Method::get; }
  const Parameter* find(std::string_view parameter) const;
};

/// All of them, in the order in which a manual tells of them.
std::span<const Method> methods();
/// Null if there is none of that name.
const Method* find_method(std::string_view name);

/// The JSON types that a parameter takes, as a person reads them: `a string or an integer`.
std::string_view words_of(Kind kind);
/// Whether it takes a value (compact JSON).
bool takes(Kind kind, std::string_view value);

/// The list that `rpc.methods` gives: JSON.
std::string describe_methods();

}  // namespace doctor::rpc
