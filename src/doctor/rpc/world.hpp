#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "doctor/rest/world.hpp"
#include "doctor/rpc/service.hpp"

namespace doctor::rpc {

inline document::Principal connector() {
  return {document::Principal::Kind::connector, nullptr};
}
inline document::Principal anyone() {
  return {document::Principal::Kind::anyone, nullptr};
}
inline document::Principal session(std::string id) {
  auto session = std::make_shared<document::Session>();
  session->id = std::move(id);
  return {document::Principal::Kind::session, session};
}

/// The world of rest, asked by JSON-RPC: for tests. Calls and answers one after another.
class World {
 public:
  explicit World(rest::WorldSetup setup = {})
      : http(std::move(setup)), service(http.service, http.setup.limits, "1.2.3") {}

  Answer call(std::string_view method, std::string_view params = "",
              const document::Principal& sender = anyone()) {
    const events::RpcRequest request{"1", std::string(method), std::string(params)};
    auto plan = service.plan(request, sender, answers_max(http.setup.limits),
                             *http.store->snapshot(), http.now);
    if (auto* answer = std::get_if<Answer>(&plan)) return std::move(*answer);
    if (auto* write = std::get_if<Write>(&plan)) {
      return service.written(write->call, http.carry_out(std::move(write->command)),
                             answers_max(http.setup.limits));
    }
    return service.read(std::get<Read>(plan).call, *http.store->snapshot(), http.now);
  }
  /// The result; of an error: its code and message.
  std::string result(std::string_view method, std::string_view params = "",
                     const document::Principal& sender = anyone()) {
    const Answer answer = call(method, params, sender);
    if (const auto* text = std::get_if<std::string>(&answer)) return *text;
    const auto& error = std::get<events::RpcError>(answer);
    return std::to_string(error.code) + " " + error.message;
  }
  /// 0 of a result.
  std::int32_t code(std::string_view method, std::string_view params = "",
                    const document::Principal& sender = anyone()) {
    const Answer answer = call(method, params, sender);
    const auto* error = std::get_if<events::RpcError>(&answer);
    return error == nullptr ? 0 : error->code;
  }
  std::string tag(std::string_view revision) const {
    return "\\\"" + http.store->identity().id + "-" + std::string(revision) + "\\\"";
  }

  rest::World http;
  Service service;
};

}  // namespace doctor::rpc
