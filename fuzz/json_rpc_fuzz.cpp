// Whatever the text, a server makes calls or answers of it, a client answers and notifications;
// what they make can be written and means the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "doctor/events/json_rpc.hpp"
#include "require.hpp"

using namespace doctor::events;

namespace {

void require_same_again(const std::variant<RpcRequest, RpcResponse>& message) {
  std::string text;
  std::visit([&](const auto& one) { write(text, one); }, message);
  if (std::holds_alternative<RpcRequest>(message)) {
    const RpcCalls again = parse_calls(text);
    require(!again.is_batch && again.calls.size() == 1 && again.calls[0] == message);
  } else {
    const auto again = parse_answers(text);
    require(again && again->size() == 1 && again->front() == message);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const RpcLimits limits{8, 16};
  const RpcCalls calls = parse_calls(text, limits);
  require(!calls.calls.empty() && calls.calls.size() <= limits.batch);
  for (const auto& call : calls.calls) require_same_again(call);
  const auto answers = parse_answers(text, limits);
  if (!answers) return 0;
  require(answers->size() <= limits.batch);
  for (const auto& answer : *answers) require_same_again(answer);
  return 0;
}
