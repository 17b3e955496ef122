#include "doctor/events/json_rpc.hpp"

#include <algorithm>
#include <charconv>

#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"

namespace doctor::events {
namespace {

using Message = std::variant<RpcRequest, RpcResponse>;

// The members of an object that JSON-RPC knows, as JSON; others mean nothing.
struct Object {
  std::optional<std::string_view> version, id, method, params, result, error;
};

Object read_object(std::string_view object) {
  Object read;
  for (const json::Member& member : json::Members(object)) {
    const std::string name = json::unescape(member.name);
    for (auto& [known, place] :
         {std::pair("jsonrpc", &read.version), std::pair("id", &read.id),
          std::pair("method", &read.method), std::pair("params", &read.params),
          std::pair("result", &read.result), std::pair("error", &read.error)}) {
      if (name == known) *place = member.value;
    }
  }
  return read;
}

bool is_id(std::string_view value) {
  const json::Kind kind = json::kind(value);
  return kind == json::Kind::string || kind == json::Kind::number || kind == json::Kind::null;
}

bool is_structured(std::string_view value) {
  const json::Kind kind = json::kind(value);
  return kind == json::Kind::array || kind == json::Kind::object;
}

bool is_version_2(const Object& object) {
  return object.version && json::is_string(*object.version) &&
         json::unescape(json::content(*object.version)) == "2.0";
}

RpcResponse refused(std::string id, RpcCode code, std::string message) {
  return {std::move(id), rpc_error(code, std::move(message))};
}

Message read_call(std::string_view value) {
  if (json::kind(value) != json::Kind::object) {
    return refused("null", RpcCode::invalid_request, "A call is an object");
  }
  const Object object = read_object(value);
  const std::string id(object.id && is_id(*object.id) ? *object.id : "null");
  const auto invalid = [&](std::string why) {
    return refused(id, RpcCode::invalid_request, std::move(why));
  };
  if (!is_version_2(object)) return invalid("jsonrpc must be \"2.0\"");
  if (object.id && !is_id(*object.id)) return invalid("id must be a string, a number or null");
  if (!object.method || !json::is_string(*object.method)) return invalid("method must be a string");
  if (object.params && !is_structured(*object.params)) {
    return invalid("params must be an array or an object");
  }
  RpcRequest request;
  if (object.id) request.id = id;
  request.method = json::unescape(json::content(*object.method));
  if (object.params) request.params = *object.params;
  return request;
}

RpcError read_error(std::string_view value) {
  RpcError error = rpc_error(RpcCode::internal_error, "");
  if (json::kind(value) != json::Kind::object) return error;
  for (const json::Member& member : json::Members(value)) {
    const std::string name = json::unescape(member.name);
    if (name == "code") {
      const char* end = member.value.data() + member.value.size();
      std::int32_t code = 0;
      const auto read = std::from_chars(member.value.data(), end, code);
      if (read.ec == std::errc() && read.ptr == end) error.code = code;
    } else if (name == "message" && json::is_string(member.value)) {
      error.message = json::unescape(json::content(member.value));
    } else if (name == "data") {
      error.data = member.value;
    }
  }
  return error;
}

std::optional<Message> read_answer(std::string_view value) {
  if (json::kind(value) != json::Kind::object) return std::nullopt;
  const Object object = read_object(value);
  if (object.method) {
    Message call = read_call(value);
    if (std::holds_alternative<RpcRequest>(call)) return call;
    return std::nullopt;
  }
  RpcResponse response;
  if (object.id && is_id(*object.id)) response.id = *object.id;
  // A null beside the other one is how older peers say that there is none.
  const bool is_error = object.error && json::kind(*object.error) != json::Kind::null;
  if (is_error) {
    response.result = read_error(*object.error);
  } else if (object.result) {
    response.result = std::string(*object.result);
  } else {
    return std::nullopt;
  }
  return response;
}

bool is_longer(std::string_view array, std::size_t max) {
  std::size_t count = 0;
  for ([[maybe_unused]] const std::string_view element : json::Elements(array)) {
    if (++count > max) return true;
  }
  return false;
}

}  // namespace

RpcError rpc_error(RpcCode code, std::string message) {
  return {static_cast<std::int32_t>(code), std::move(message), {}};
}

RpcCalls parse_calls(std::string_view text, const RpcLimits& limits) {
  const auto only = [](RpcCode code, std::string why) {
    return RpcCalls{false, {refused("null", code, std::move(why))}};
  };
  const auto parsed = json::compact(text, limits.nesting);
  if (!parsed) return only(RpcCode::parse_error, parsed.error().detail);
  if (json::kind(*parsed) != json::Kind::array) return {false, {read_call(*parsed)}};
  if (*parsed == "[]") return only(RpcCode::invalid_request, "A batch has at least one call");
  if (is_longer(*parsed, limits.batch)) {
    return only(RpcCode::invalid_request, "A batch has more calls than the limit rpc_batch");
  }
  RpcCalls calls{true, {}};
  for (const std::string_view element : json::Elements(*parsed)) {
    calls.calls.push_back(read_call(element));
  }
  return calls;
}

Result<std::vector<Message>> parse_answers(std::string_view text, const RpcLimits& limits) {
  const auto parsed = json::compact(text, limits.nesting);
  if (!parsed) return parsed.error();
  std::vector<Message> answers;
  if (json::kind(*parsed) != json::Kind::array) {
    if (auto answer = read_answer(*parsed)) answers.push_back(std::move(*answer));
    return answers;
  }
  if (is_longer(*parsed, limits.batch)) return invalid("a batch is over the limit rpc_batch");
  for (const std::string_view element : json::Elements(*parsed)) {
    if (auto answer = read_answer(element)) answers.push_back(std::move(*answer));
  }
  return answers;
}

void write(std::string& out, const RpcRequest& request) {
  out += R"({"jsonrpc":"2.0",)";
  if (request.id) out += "\"id\":" + *request.id + ",";
  out += "\"method\":";
  json::append_string(out, request.method);
  if (!request.params.empty()) out += ",\"params\":" + request.params;
  out += '}';
}

void write(std::string& out, const RpcResponse& response) {
  out += R"({"jsonrpc":"2.0","id":)" + response.id;
  if (const auto* result = std::get_if<std::string>(&response.result)) {
    out += ",\"result\":" + *result + "}";
    return;
  }
  const RpcError& error = std::get<RpcError>(response.result);
  out += ",\"error\":{\"code\":" + std::to_string(error.code) + ",\"message\":";
  json::append_string(out, error.message);
  if (!error.data.empty()) out += ",\"data\":" + error.data;
  out += "}}";
}

std::string write_answers(const std::vector<RpcResponse>& responses, bool is_batch) {
  std::string out;
  if (responses.empty()) return out;
  if (is_batch) out += '[';
  for (std::size_t i = 0; i < responses.size(); ++i) {
    if (i > 0) out += ',';
    write(out, responses[i]);
  }
  if (is_batch) out += ']';
  return out;
}

}  // namespace doctor::events
