#include "doctor/rpc/service.hpp"

#include "doctor/json/value.hpp"
#include "doctor/rpc/answer.hpp"
#include "doctor/rpc/parameters.hpp"
#include "doctor/rpc/request.hpp"

namespace doctor::rpc {

using events::RpcError;

namespace {

Answer too_long(std::size_t max) {
  return Service::failed(error(
      Errc::too_large,
      "the answer is longer than the " + std::to_string(max) + " bytes that can be sent here"));
}

}  // namespace

Service::Plan Service::plan(const events::RpcRequest& request, const document::Principal& sender,
                            std::size_t room, const document::View& view, Timestamp now) const {
  const Method* method = find_method(request.method);
  if (method == nullptr) {
    return Answer(
        events::rpc_error(events::RpcCode::method_not_found,
                          "there is no such method; rpc.methods lists those that there are"));
  }
  auto read = Parameters::read(*method, request.params);
  if (auto* wrong = std::get_if<RpcError>(&read)) return Answer(std::move(*wrong));
  const Parameters& parameters = std::get<Parameters>(read);
  const std::string revision = std::to_string(view.revision().value);
  switch (method->action) {
    case Action::ping:
      return Answer("true");
    case Action::echo: {
      const std::string_view text = parameters.value("text");
      return text.size() <= room ? Answer(std::string(text)) : too_long(room);
    }
    case Action::info:
      return Answer("{\"name\":\"Doctor\",\"version\":" + json::quoted(version_) +
                    ",\"revision\":" + revision + "}");
    case Action::methods:
      return Answer("{\"revision\":" + revision + ",\"methods\":" + describe_methods() + "}");
    case Action::request:
      break;
  }
  return plan_request(*method, parameters, sender, room, view, now);
}

Service::Plan Service::plan_request(const Method& method, const Parameters& parameters,
                                    const document::Principal& sender, std::size_t room,
                                    const document::View& view, Timestamp now) const {
  auto made = make_request(method, parameters, room);
  if (auto* wrong = std::get_if<RpcError>(&made)) return Answer(std::move(*wrong));
  auto& [head, body] = std::get<Request>(made);

  auto admission = rest_->admit(std::move(head), sender, view, now);
  if (const auto* problem = std::get_if<rest::Response>(&admission)) {
    return Answer(error_of(*problem));
  }
  auto& admitted = std::get<rest::Admitted>(admission);
  if (body.size() > admitted.body_max(limits_)) {
    return Answer(error_of(rest_->body_too_large(admitted)));
  }
  rest::Service::Plan planned = rest_->plan(admitted, std::move(body), now);
  if (const auto* problem = std::get_if<rest::Response>(&planned)) {
    return Answer(error_of(*problem));
  }
  Call call(method, std::move(admitted));
  if (auto* write = std::get_if<rest::Write>(&planned)) {
    return Write{std::move(call), std::move(write->command)};
  }
  const auto& reading = std::get<rest::Read>(planned);
  return Read{std::move(call), reading.large, reading.min_revision};
}

Answer Service::read(const Call& call, const document::View& view, Timestamp now) const {
  return answer_of(*call.method_, rest_->read(call.admitted_, view, now));
}

Answer Service::written(const Call& call, const Result<engine::Outcome>& outcome,
                        std::size_t room) const {
  return answer_of(*call.method_, rest_->written(call.admitted_, outcome), room);
}

Answer Service::failed(const Error& error) {
  return error_of(rest::Service::problem(error));
}

}  // namespace doctor::rpc
