#include "doctor/hub/requests.hpp"

namespace doctor::hub {

using events::RpcRequest;
using events::RpcResponse;

std::vector<RpcResponse> respond_to_all(const events::RpcCalls& calls,
                                        const std::function<RpcResponse(const RpcRequest&)>& call) {
  std::vector<RpcResponse> responses;
  for (const auto& one : calls.calls) {
    if (const auto* response = std::get_if<RpcResponse>(&one)) {
      responses.push_back(*response);
    } else if (const auto& request = std::get<RpcRequest>(one); !request.is_notification()) {
      responses.push_back(call(request));
    }
  }
  return responses;
}

RpcResponse refusal_of(const RpcRequest& call, events::RpcError error) {
  return {call.id.value_or("null"), std::move(error)};
}

}  // namespace doctor::hub
