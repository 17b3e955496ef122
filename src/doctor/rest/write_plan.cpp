#include "doctor/rest/write_plan.hpp"

#include "doctor/base/text.hpp"
#include "doctor/document/document.hpp"
#include "doctor/rest/condition.hpp"
#include "doctor/rest/media_type.hpp"

namespace doctor::rest {
namespace {

using Operation = decltype(engine::Command::operation);

Error invalid_start(std::string_view body, std::string detail) {
  Error failure = invalid(std::move(detail));
  const auto at = body.find_first_not_of(" \t\r\n");
  failure.offset = at == std::string_view::npos ? body.size() : at;
  return failure;
}

Result<Operation> plan_one(Request& request, std::string_view body,
                           std::optional<std::string_view> path_id, const Limits& limits) {
  auto document =
      document::parse_document(body, {.rule = request.id_rule(), .path_id = path_id}, limits);
  if (!document) return document.error();
  return Operation(engine::Put{*std::move(document), std::move(request.precondition)});
}

Result<Operation> plan_post(Request& request, std::string_view body, const Limits& limits) {
  if (document::first_octet(body) == '{') {
    request.shape = WriteShape::one;
    return plan_one(request, body, std::nullopt, limits);
  }
  if (document::first_octet(body) != '[') {
    return invalid_start(body, "POST takes a document (an object) or an array of documents");
  }
  if (has_condition(request.fields)) {
    return invalid("If-Match and If-None-Match are for writes of one document, not of an array");
  }
  request.shape = WriteShape::many;
  auto documents = document::parse_documents(body, request.id_rule(), limits);
  if (!documents) return documents.error();
  return Operation(engine::Upsert{*std::move(documents)});
}

Result<Operation> plan_replace_all(Request& request, std::string_view body, const Limits& limits) {
  if (document::first_octet(body) != '[') {
    return invalid_start(body,
                         "PUT of a collection takes an array of documents, and makes it exactly "
                         "that; one document is written by a PUT of its own path");
  }
  request.shape = WriteShape::replace_all;
  auto documents = document::parse_documents(body, request.id_rule(), limits);
  if (!documents) return documents.error();
  return Operation(engine::ReplaceAll{*std::move(documents)});
}

Result<Operation> plan_put(Request& request, std::string_view body, const Limits& limits) {
  if (document::first_octet(body) != '{') {
    return invalid_start(body, "PUT of a document takes an object");
  }
  request.shape = WriteShape::put;
  return plan_one(request, body, request.id, limits);
}

Result<Operation> plan_patch(Request& request, std::string_view body, const Limits& limits) {
  request.shape = WriteShape::patch;
  auto patch = document::Patch::parse(
      patch_kind(request.fields.content_type).value_or(document::PatchKind::shallow), body, limits);
  if (!patch) return patch.error();
  return Operation(
      engine::Patch{std::string(request.id), *std::move(patch), std::move(request.precondition)});
}

Result<Operation> plan_delete(Request& request) {
  if (request.id.empty()) {
    request.shape = WriteShape::drop;
    return Operation(engine::Drop{});
  }
  request.shape = WriteShape::remove;
  return Operation(engine::Remove{std::string(request.id), std::move(request.precondition)});
}

Result<Operation> plan_operation(Request& request, std::string_view body, const Limits& limits) {
  switch (request.method) {
    case Method::post:
      return plan_post(request, body, limits);
    case Method::put:
      return request.id.empty() ? plan_replace_all(request, body, limits)
                                : plan_put(request, body, limits);
    case Method::patch:
      return plan_patch(request, body, limits);
    default:
      return plan_delete(request);
  }
}

}  // namespace

Result<void> check_body_type(const Request& request) {
  const std::string_view encoding = request.fields.content_encoding;
  if (!encoding.empty() && !equal_ignoring_case(encoding, "identity")) {
    return error(Errc::unsupported_type, "a body must be sent as it is, without Content-Encoding");
  }
  const std::string_view type = request.fields.content_type;
  if (request.method == Method::patch) {
    if (patch_kind(type)) return {};
    return error(Errc::unsupported_type,
                 "PATCH takes " + std::string(patch_types) + "; not " + std::string(type));
  }
  if (is_json_type(type)) return {};
  return error(Errc::unsupported_type,
               "send JSON with Content-Type: application/json; not " + std::string(type));
}

Result<engine::Command> plan_write(Request& request, std::string_view body, Timestamp now,
                                   const Limits& limits) {
  auto operation = plan_operation(request, body, limits);
  if (!operation) return operation.error();
  return engine::Command{std::string(request.collection), now, *std::move(operation)};
}

}  // namespace doctor::rest
