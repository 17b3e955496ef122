#include "doctor/rpc/request.hpp"

namespace doctor::rpc {
namespace {

std::optional<document::PatchKind> patch_kind(const std::optional<std::string>& type) {
  if (!type || *type == "fields") return document::PatchKind::shallow;
  if (*type == "merge-patch") return document::PatchKind::merge;
  if (*type == "json-patch") return document::PatchKind::json_patch;
  return std::nullopt;
}

}  // namespace

std::variant<Request, events::RpcError> make_request(const Method& method,
                                                     const Parameters& parameters,
                                                     std::size_t room) {
  Request request;
  rest::DirectRequest& head = request.head;
  head.method = method.verb;
  head.resource = method.resource;
  head.collection = parameters.text("collection");
  head.id = parameters.text("id");
  head.if_match = parameters.given_text("if_match");
  head.if_none_match = parameters.given_text("if_none_match");
  head.min_revision = parameters.revision("min_revision");
  head.minimal = parameters.flag("minimal");
  head.answer_max = room;
  const auto patch = patch_kind(parameters.given_text("type"));
  if (!patch) return wrong_parameter("type", "type must be fields, merge-patch or json-patch");
  head.patch = *patch;
  for (const std::string_view name : {"document", "documents", "session", "patch", "query"}) {
    if (const auto body = parameters.value(name); !body.empty()) request.body = body;
  }
  return request;
}

}  // namespace doctor::rpc
