#include "doctor/rest/admission.hpp"

#include "doctor/document/names.hpp"
#include "doctor/rest/answer.hpp"
#include "doctor/rest/compression.hpp"
#include "doctor/rest/condition.hpp"
#include "doctor/rest/credentials.hpp"
#include "doctor/rest/media_type.hpp"
#include "doctor/rest/origin.hpp"
#include "doctor/rest/pages.hpp"
#include "doctor/rest/prefer.hpp"
#include "doctor/rest/problem.hpp"
#include "doctor/rest/target.hpp"

namespace doctor::rest {
namespace {

using Admission = std::variant<Admitted, Own, FailedLogin, Response>;

constexpr std::string_view allowed_request_headers =
    "SESSION, SECRET, Authorization, Content-Type, If-Match, If-None-Match, Prefer, "
    "Doctor-Min-Revision";

// The problem of a request that was not let in: without a revision.
Response refuse(const Request& request, const Error& failure) {
  Response response = begin_answer(request);
  render_problem(failure, response);
  return response;
}

// To OPTIONS, whoever asks: what may be done with a resource is no secret.
Response answer_options(const Request& request, std::string_view path) {
  const bool any = path == "*";
  if (request.resource == Resource::unknown && !any) {
    return refuse(request, error(Errc::not_found, "there is no such resource"));
  }
  const std::string_view methods =
      any ? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" : allowed_methods(request.resource);
  Response response = begin_answer(request);
  response.status = 204;
  response.add("Allow", methods);
  if (any || allows(request.resource, Method::patch)) response.add("Accept-Patch", patch_types);
  if (!request.allowed_origin.empty() && sent(request.fields.requested_method)) {
    response.add("Access-Control-Allow-Methods", methods);
    response.add("Access-Control-Allow-Headers", allowed_request_headers);
    response.add("Access-Control-Max-Age", "600");
  }
  return response;
}

Need need_of(const Request& request) {
  switch (request.area) {
    case Area::query:
      return Need::reader;
    case Area::entities:
      return request.is_read() ? Need::reader : Need::connector;
    case Area::sessions:
    case Area::clients:
      return request.is_read() ? Need::connector_read : Need::connector;
    case Area::none:
      break;
  }
  if (request.resource == Resource::export_) return Need::connector_read;
  return request.resource == Resource::metrics ? Need::scraper : Need::nothing;
}

bool is_of_sessions(Resource resource) {
  return resource == Resource::sessions || resource == Resource::session;
}

Response unauthenticated(const Request& request, Need need, Refusal refusal) {
  Response response = refuse(request, error(Errc::unauthenticated, std::move(refusal.detail)));
  response.add("WWW-Authenticate", challenge(need, refusal.failed_login));
  return response;
}

Result<std::string_view> decoded(Request& request, std::string_view segment) {
  if (segment.find('%') == std::string_view::npos) return segment;
  auto text = decode_segment(segment);
  if (!text) return text.error();
  return request.keep(*std::move(text));
}

// Judges the names of what is asked for, decoded.
Result<void> check_names(const Request& request) {
  const bool of_documents = request.area == Area::entities || request.area == Area::query;
  if (of_documents && request.resource != Resource::collections &&
      !document::is_collection_name(request.collection)) {
    return invalid_in("collection", "the name of a collection is 1 to 64 of A-Z a-z 0-9 _ -");
  }
  const bool of_one =
      request.resource == Resource::document || request.resource == Resource::query_document;
  if (of_one && !document::is_document_id(request.id)) {
    return invalid_in("id", "an id is 1 to 255 bytes of UTF-8 without control characters");
  }
  if (request.resource == Resource::session && !document::is_session_id(request.id)) {
    return invalid_in("id", "the id of a session is 1 to 255 visible ASCII characters");
  }
  return {};
}

// Decodes the names in the path and judges them.
Result<void> check_path(Request& request, const Route& route) {
  if (request.area == Area::sessions) {
    request.collection = document::sessions_collection;
  } else if (route.collection.data() != nullptr) {
    const auto name = decoded(request, route.collection);
    if (!name) return name.error();
    request.collection = *name;
  }
  if (route.id.data() != nullptr) {
    const auto id = decoded(request, route.id);
    if (!id) return id.error();
    request.id = *id;
  }
  return check_names(request);
}

// Notes what the headers ask of the answer.
Result<void> check_acceptance(Request& request) {
  const Fields& fields = request.fields;
  request.accepts_gzip = sent(fields.accept_encoding) && accepts_gzip(fields.accept_encoding);
  request.prefers_minimal = sent(fields.prefer) && prefers_minimal(fields.prefer);
  if (!sent(fields.accept) || request.method == Method::delete_) return {};
  const bool acceptable = request.resource == Resource::export_
                              ? accepts(fields.accept, "application", "x-ndjson") ||
                                    accepts(fields.accept, "application", "json")
                              : accepts(fields.accept, "application", "json");
  if (acceptable) return {};
  return error(Errc::not_acceptable,
               "this is answered as application/json, which the header Accept excludes");
}

// Preconditions of a write: judged here so that a request that is going to fail does not send its
// body, and once more when the write is applied.
Result<void> check_precondition(Request& request, const document::View& view,
                                std::string_view store_id) {
  if (request.is_read() || !has_condition(request.fields)) return {};
  const bool of_one =
      request.resource == Resource::document || request.resource == Resource::session;
  if (!of_one && request.method != Method::post) {
    return invalid("If-Match and If-None-Match are for writes of one document");
  }
  auto precondition = write_precondition(request.fields, store_id);
  if (!precondition) return precondition.error();
  request.precondition = *std::move(precondition);
  if (!of_one) return {};  // the document's id is in the body

  std::optional<document::Revision> revision;
  if (const auto collection = view.collection(request.collection)) {
    if (const auto entry = view.find(*collection, request.id)) {
      revision = entry->document.revision();
    }
  }
  if (holds(request.precondition, revision)) return {};
  return error(Errc::precondition_failed,
               request.precondition.must_be_new && revision
                   ? "there is such a document already, and If-None-Match: * was sent"
                   : "the document is not what If-Match names");
}

Response answer_page(const Request& request, std::string_view body) {
  Response response = begin_answer(request);
  response.headers += "Content-Type: application/json\r\nCache-Control: no-cache\r\n";
  response.body = body;
  compress(request, response);
  return response;
}

}  // namespace

Result<std::string_view> check_source(const AdmissionContext& context, const Fields& fields) {
  if (!context.authority.secured()) {
    if (auto known = check_host(fields.host, context.options.allowed_hosts); !known) {
      return known.error();
    }
  }
  auto origin = judge_origin(fields.origin, fields.host, context.options.cors_origins);
  if (!origin) return origin.error();
  return origin->allow;
}

std::variant<Admitted, Response> admit_direct(const AdmissionContext& context, DirectRequest direct,
                                              const document::Principal& sender,
                                              const document::View& view, Timestamp now) {
  std::variant<Admitted, Response> admission(std::in_place_type<Admitted>);
  Request& request = std::get<Admitted>(admission).request();
  request.method = direct.method;
  request.resource = direct.resource;
  request.area = is_of_sessions(direct.resource) ? Area::sessions : Area::entities;
  request.collection = is_of_sessions(direct.resource) ? document::sessions_collection
                                                       : request.keep(std::move(direct.collection));
  request.id = request.keep(std::move(direct.id));
  request.fields.content_type = type_of(direct.patch);
  if (direct.if_match) request.fields.if_match = request.keep(*std::move(direct.if_match));
  if (direct.if_none_match) {
    request.fields.if_none_match = request.keep(*std::move(direct.if_none_match));
  }
  if (direct.min_revision) {
    request.fields.min_revision = request.keep(std::to_string(direct.min_revision->value));
  }
  request.prefers_minimal = direct.minimal;
  request.answer_max = direct.answer_max;

  const Need need = need_of(request);
  auto access = judge_sender(sender, need, context.authority, view, now);
  if (auto* refusal = std::get_if<Refusal>(&access)) {
    return unauthenticated(request, need, std::move(*refusal));
  }
  request.access = std::get<Access>(access);
  request.access.session_id = request.keep(std::string(request.access.session_id));
  request.admitted_at = view.revision();
  if (auto good = check_names(request); !good) return problem_answer(request, good.error());
  if (auto good = check_precondition(request, view, context.identity.id); !good) {
    return problem_answer(request, good.error());
  }
  return admission;
}

Admission admit_request(const AdmissionContext& context, const RequestHead& head,
                        const document::View& view, Timestamp now) {
  Admission admission(std::in_place_type<Admitted>);
  Request& request = std::get<Admitted>(admission).request();
  request.method = parse_method(head.method);
  if (head.target.size() > context.limits.request_target) {
    return refuse(request, error(Errc::target_too_long,
                                 "the request target is over the limit request_target; a long "
                                 "query can be sent as the body of POST /query/{collection}"));
  }
  const Target target = split_target(head.target);
  const Route route = route_of(target.path);
  request.resource = route.resource;
  request.area = route.area;
  request.parameters = target.parameters;
  request.fields = parse_fields(head.headers, request.owned);
  if (!target.authority.empty()) request.fields.host = target.authority;

  const auto allowed_origin = check_source(context, request.fields);
  if (!allowed_origin) return refuse(request, allowed_origin.error());
  request.allowed_origin = *allowed_origin;
  if (request.method == Method::options) return answer_options(request, target.path);

  const Need need = need_of(request);
  auto access = judge_credentials(request.fields, need, context.authority, view, now);
  if (auto* refusal = std::get_if<Refusal>(&access)) {
    const bool failed_login = refusal->failed_login;
    Response response = unauthenticated(request, need, std::move(*refusal));
    if (failed_login) return FailedLogin{std::move(response)};
    return response;
  }
  request.access = std::get<Access>(access);
  request.admitted_at = view.revision();

  if (request.resource == Resource::unknown) {
    return problem_answer(request, error(Errc::not_found, "there is no such resource"));
  }
  if (!allows(request.resource, request.method)) {
    Response response = problem_answer(
        request, error(Errc::method_not_allowed,
                       "this resource takes " + std::string(allowed_methods(request.resource))));
    response.add("Allow", allowed_methods(request.resource));
    return response;
  }
  switch (request.resource) {
    case Resource::healthz:
      return Own::healthz;
    case Resource::readyz:
      return Own::readyz;
    case Resource::metrics:
      return Own::metrics;
    default:
      break;
  }

  if (auto good = check_path(request, route); !good) return problem_answer(request, good.error());
  if (request.is_read()) {
    auto parameter = find_parameter(request.parameters, "q");
    if (!parameter) return problem_answer(request, parameter.error());
    request.query_parameter = *parameter;
  }
  if (auto good = check_acceptance(request); !good) return problem_answer(request, good.error());
  if (auto good = check_precondition(request, view, context.identity.id); !good) {
    return problem_answer(request, good.error());
  }

  if (request.resource == Resource::root) {
    return answer_page(request, root_page(context.options.version));
  }
  if (request.resource == Resource::openapi) return answer_page(request, openapi_page());
  return admission;
}

}  // namespace doctor::rest
