#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "doctor/base/result.hpp"

// Messages of JSON-RPC 2.0. JSON within them is kept as its compact text: an id comes back as the
// type and with the digits that it had.
namespace doctor::events {

/// What an answer's `error` says (JSON-RPC 2.0 §5.1); an application's own codes are positive.
enum class RpcCode : std::int32_t {
  parse_error = -32'700,
  invalid_request = -32'600,
  method_not_found = -32'601,
  invalid_params = -32'602,
  internal_error = -32'603,
  bad_bindings = -32'604,
  no_response = -32'605,  ///< made by a client
};

struct RpcError {
  std::int32_t code = 0;
  std::string message;
  std::string data;  ///< JSON; empty: none

  friend bool operator==(const RpcError&, const RpcError&) = default;
};
RpcError rpc_error(RpcCode code, std::string message);

/// A request, or a notification, which is never answered, not even with an error.
struct RpcRequest {
  std::optional<std::string> id;  ///< JSON: a string, a number or null; none: a notification
  std::string method;
  std::string params;  ///< JSON: an array or an object; empty: none

  bool is_notification() const { return !id; }
  friend bool operator==(const RpcRequest&, const RpcRequest&) = default;
};

struct RpcResponse {
  std::string id = "null";                     ///< JSON
  std::variant<std::string, RpcError> result;  ///< JSON, or what went wrong

  friend bool operator==(const RpcResponse&, const RpcResponse&) = default;
};

struct RpcLimits {
  std::size_t batch = 1'000;   ///< messages of one batch
  std::uint32_t nesting = 64;  ///< of the JSON
};

/// What a server was sent. Each is a request, or the answer that its sender gets since it is none.
struct RpcCalls {
  bool is_batch = false;
  std::vector<std::variant<RpcRequest, RpcResponse>> calls;
};
/// Whatever the text is, it makes calls: what is no JSON, no call, an empty batch or one over the
/// limit makes the one answer that says so, not in a batch.
RpcCalls parse_calls(std::string_view text, const RpcLimits& limits = {});

/// What a client was sent: responses, and notifications, alone or in a batch (some servers batch an
/// answer to a single request, some answer a batch of one alone: both are read). Members that are
/// neither are left out. Errc::invalid if the text is no JSON or over a limit.
Result<std::vector<std::variant<RpcRequest, RpcResponse>>> parse_answers(
    std::string_view text, const RpcLimits& limits = {});

void write(std::string& out, const RpcRequest& request);
void write(std::string& out, const RpcResponse& response);
/// What answers a batch or a single call; empty if nothing is to be sent.
std::string write_answers(const std::vector<RpcResponse>& responses, bool is_batch);

}  // namespace doctor::events
