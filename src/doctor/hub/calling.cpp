#include <algorithm>
#include <utility>

#include "doctor/hub/hub_impl.hpp"

// Requests of JSON-RPC and their answers. An answer is found by the request's number, which is that
// of its frame: two clients may use the same ids.
namespace doctor::hub {
namespace {

using events::RpcCode;
using events::RpcError;
using events::RpcRequest;
using events::RpcResponse;

constexpr std::string_view flow_id = "ovirtCorrelationId";

// An application's own codes are those of HTTP.
constexpr std::int32_t too_large = 413;
constexpr std::int32_t too_many = 429;
constexpr std::int32_t unavailable = 503;

RpcError over_calls_bytes() {
  return {unavailable, "More calls are under way than the limit rpc_calls_bytes", {}};
}

std::size_t requests_in(const events::RpcCalls& calls) {
  return static_cast<std::size_t>(
      std::count_if(calls.calls.begin(), calls.calls.end(),
                    [](const auto& call) { return std::holds_alternative<RpcRequest>(call); }));
}

// What a request takes until it is answered: small calls take many times their text.
std::size_t memory_of(const events::RpcCalls& calls) {
  std::size_t size = 0;
  for (const auto& call : calls.calls) {
    size += sizeof(call);
    if (const auto* request = std::get_if<RpcRequest>(&call)) {
      size += request->id.value_or("").size() + request->method.size() + request->params.size();
    }
  }
  return size;
}

bool is_session(const document::Principal& principal) {
  return principal.kind == document::Principal::Kind::session;
}

std::string header_of(const stomp::Message& message, std::string_view name) {
  const std::string* header = message.header(name);
  return header == nullptr ? std::string() : *header;
}

}  // namespace

void Hub::Impl::ask(const stomp::Sending& sending, const RequestDestination& destination) {
  Asked asked;
  const std::string* reply_to =
      destination.heeds_reply_to ? sending.message.header("reply-to") : nullptr;
  if (reply_to != nullptr) {
    asked.reply_to = {*reply_to};
  } else {
    asked.reply_to = {std::string(destination.answers)};
    if (destination.heeds_reply_to) asked.reply_to.emplace_back(vdsm_answers);
  }
  asked.request = {RequestNumber(++last_request_), sending.connection, sending.principal,
                   calls_of(sending.message), header_of(sending.message, flow_id)};
  asked.bytes = sizeof(Asked) + sizeof(Pending) + memory_of(asked.request.calls);
  asked_bytes_ += asked.bytes;
  asked_.push_back(std::move(asked));
}

events::RpcCalls Hub::Impl::calls_of(const stomp::Message& message) {
  // Documents and queries have limits of their own, and stand in the parameters of a call in a
  // batch, documents perhaps several together.
  constexpr std::uint32_t around = 4;
  const events::RpcLimits limits{
      .batch = limits_.rpc_batch,
      .nesting = std::max(limits_.nesting, limits_.query_nesting) + around};
  if (message.header("content-encoding") == nullptr) {
    return events::parse_calls(message.body, limits);
  }
  // Few octets become many, and many such requests may come before any of them is begun.
  if (figures_.calls_bytes + asked_bytes_ > limits_.rpc_calls_bytes) {
    ++figures_.calls_refused;
    return {false, {RpcResponse{"null", over_calls_bytes()}}};
  }
  const Result<std::string> body = surroundings_.gunzip(message.body, limits_.stomp_body);
  if (body) return events::parse_calls(*body, limits);
  RpcError error = rpc_error(RpcCode::parse_error, "The body is not gzip");
  if (body.error().code == Errc::too_large) {
    error = {too_large, "The body is larger than the limit stomp_body", {}};
  }
  return {false, {RpcResponse{"null", std::move(error)}}};
}

std::vector<Request> Hub::Impl::take_requests(Clock::time_point now) {
  std::vector<Request> requests;
  asked_bytes_ = 0;
  for (Asked& asked : std::exchange(asked_, {})) {
    if (begin(asked, now)) requests.push_back(std::move(asked.request));
  }
  return requests;
}

// Whether it is to be carried out; if not, it has been answered.
bool Hub::Impl::begin(Asked& asked, Clock::time_point now) {
  Request& request = asked.request;
  const std::size_t calls = requests_in(request.calls);
  figures_.calls += calls;
  const auto fault = fault_of_load(asked);
  const bool is_over_the_load = fault.has_value();

  Pending pending;
  pending.connection = request.connection;
  pending.for_connectors = !is_session(request.principal);
  pending.is_batch = request.calls.is_batch;
  pending.reply_to = std::move(asked.reply_to);
  pending.flow_id = request.flow_id;
  if (calls > 0 && !is_over_the_load) {
    pending.calls = calls;
    pending.bytes = asked.bytes;
    calls_[request.connection] += calls;
    figures_.calls_under_way += calls;
    figures_.calls_bytes += asked.bytes;
    if (!pending.for_connectors) sessions_bytes_ += asked.bytes;
    pending_.emplace(request.number, std::move(pending));
    return true;
  }
  if (is_over_the_load) {
    figures_.calls_refused += calls;
    warnings_.warn(Warning::refused_calls, "JSON-RPC: refused calls: " + fault->message, now);
  }
  pending_.emplace(request.number, std::move(pending));
  answer(request.number,
         respond_to_all(request.calls,
                        [&](const RpcRequest& call) { return refusal_of(call, *fault); }),
         now);
  return false;
}

// Who has nothing under way may ask for anything that is within the other limits.
std::optional<RpcError> Hub::Impl::fault_of_load(const Asked& asked) const {
  const std::size_t calls = requests_in(asked.request.calls);
  const auto found = calls_.find(asked.request.connection);
  if (found != calls_.end() && found->second + calls > limits_.rpc_calls) {
    return RpcError{too_many, "More calls are under way than the limit rpc_calls", {}};
  }
  const auto is_over = [&](std::size_t under_way, std::size_t max) {
    return under_way > 0 && under_way + asked.bytes > max;
  };
  // Whatever sessions do, there is room for connectors.
  const bool is_over_share =
      is_session(asked.request.principal) && is_over(sessions_bytes_, limits_.rpc_calls_bytes / 2);
  if (is_over_share || is_over(figures_.calls_bytes, limits_.rpc_calls_bytes)) {
    return over_calls_bytes();
  }
  return std::nullopt;
}

void Hub::Impl::answer(RequestNumber number, std::vector<RpcResponse> responses,
                       Clock::time_point now) {
  const auto found = pending_.find(number);
  if (found == pending_.end()) return;
  Pending pending = std::move(found->second);
  pending_.erase(found);
  figures_.calls_under_way -= pending.calls;
  figures_.calls_bytes -= pending.bytes;
  if (!pending.for_connectors) sessions_bytes_ -= pending.bytes;
  if (const auto count = calls_.find(pending.connection); count != calls_.end()) {
    count->second -= pending.calls;
    if (count->second == 0) calls_.erase(count);
  }
  if (responses.empty()) return;

  stomp::Answer answer;
  answer.asked = pending.connection;
  answer.for_connectors = pending.for_connectors;
  answer.message.destination = pending.reply_to.front();
  answer.reply_to = std::move(pending.reply_to);
  answer.message.headers = {{"content-type", "application/json"}};
  if (!pending.flow_id.empty()) answer.message.headers.emplace_back(flow_id, pending.flow_id);
  answer.message.body = body_of(std::move(responses), pending.is_batch, now);
  broker_.answer(answer, now);
}

// Answers are never dropped, so one alone must not fill an outbox.
std::string Hub::Impl::body_of(std::vector<RpcResponse> responses, bool is_batch,
                               Clock::time_point now) {
  std::string body;
  if (is_batch) body += '[';
  for (std::size_t i = 0; i < responses.size(); ++i) {
    if (i > 0) body += ',';
    const std::size_t before = body.size();
    write(body, responses[i]);
    if (body.size() <= limits_.stomp_outbox_bytes / 4) continue;
    ++figures_.answers_too_large;
    warnings_.warn(Warning::large_answers,
                   "JSON-RPC: an answer was larger than a quarter of stomp_outbox_bytes", now);
    body.resize(before);
    write(body,
          RpcResponse{responses[i].id, RpcError{too_large,
                                                "The answer is larger than a quarter of the limit "
                                                "stomp_outbox_bytes: use limit",
                                                {}}});
  }
  if (is_batch) body += ']';
  return body;
}

}  // namespace doctor::hub
