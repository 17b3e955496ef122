#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "doctor/base/strong.hpp"
#include "doctor/document/session.hpp"
#include "doctor/events/json_rpc.hpp"
#include "doctor/stomp/application.hpp"

namespace doctor::hub {

using RequestNumber = Strong<struct RequestNumberTag, std::uint64_t>;

/// What one frame asked for: a call or a batch, by whom.
struct Request {
  RequestNumber number;  ///< its answer is found by it; never by the calls' own ids
  stomp::ConnectionId connection;
  document::Principal principal;
  events::RpcCalls calls;  ///< with the answers of those that are no calls
  std::string flow_id;     ///< the header `ovirtCorrelationId`, for the log; empty: none
};

/// Takes the responses to a request, in any order, those of `calls` that are answers already among
/// them; none for notifications. Any thread; exactly once.
using Respond = std::function<void(std::vector<events::RpcResponse>)>;

/// Who carries out requests: the methods that there are.
class Methods {
 public:
  virtual ~Methods() = default;
  /// Begins a request and does not wait for it. Requests of a connection come in the order in which
  /// they were sent.
  virtual void carry_out(Request request, Respond respond) = 0;
};

/// One response to each call that wants one, which `call` makes.
std::vector<events::RpcResponse> respond_to_all(
    const events::RpcCalls& calls,
    const std::function<events::RpcResponse(const events::RpcRequest&)>& call);

/// The response that refuses a call.
events::RpcResponse refusal_of(const events::RpcRequest& call, events::RpcError error);

}  // namespace doctor::hub
