#include "doctor/rest/service.hpp"

#include <atomic>

#include "doctor/base/crypto.hpp"
#include "doctor/base/log.hpp"
#include "doctor/rest/admission.hpp"
#include "doctor/rest/answer.hpp"
#include "doctor/rest/media_type.hpp"
#include "doctor/rest/problem.hpp"
#include "doctor/rest/query_cache.hpp"
#include "doctor/rest/read.hpp"
#include "doctor/rest/read_plan.hpp"
#include "doctor/rest/write_answer.hpp"
#include "doctor/rest/write_plan.hpp"

namespace doctor::rest {

class Service::Impl {
 public:
  AdmissionContext admission() const { return {options, limits, authority, identity}; }
  ReadContext reading() const { return {limits, authority, identity, answers}; }

  const Options options;
  const Limits limits;
  const engine::Authority& authority;
  const store::Identity identity;
  mutable QueryCache queries{limits};
  mutable AnswerCache answers{limits.answer_cache};
  mutable std::atomic<bool> short_id_told = false;
};

namespace {

// A session id is a bearer secret: one of fewer characters can be guessed.
constexpr std::size_t session_id_advised = 16;

void warn_of_short_ids(const engine::Outcome& outcome, std::atomic<bool>& told) {
  for (const document::Change& change : outcome.changes) {
    if (change.kind != document::ChangeKind::created) continue;
    if (change.id.size() >= session_id_advised || told.exchange(true)) continue;
    log::warning("a session's id has fewer than 16 characters and might be guessed",
                 {{"session", fingerprint(change.id)}});
  }
}

}  // namespace

bool Admitted::is_read() const {
  return request_.is_read();
}

bool Admitted::wants_body() const {
  if (request_.is_read()) return takes_query_body(request_);
  return request_.method != Method::delete_;
}

std::size_t Admitted::body_max(const Limits& limits) const {
  return request_.is_read() ? std::min(limits.query_text, limits.request_body)
                            : limits.request_body;
}

std::string_view Admitted::route_name() const {
  return rest::route_name(request_.resource);
}

Service::Service(const Options& options, const Limits& limits, const engine::Authority& authority,
                 const store::Identity& identity)
    : impl_(new Impl{options, limits, authority, identity}) {}

Service::~Service() = default;

std::variant<Admitted, Own, FailedLogin, Response> Service::admit(const RequestHead& head,
                                                                  const document::View& view,
                                                                  Timestamp now) const {
  return admit_request(impl_->admission(), head, view, now);
}

std::variant<Admitted, Response> Service::admit(DirectRequest direct,
                                                const document::Principal& sender,
                                                const document::View& view, Timestamp now) const {
  return admit_direct(impl_->admission(), std::move(direct), sender, view, now);
}

Service::Plan Service::plan(Admitted& admitted, std::string body, Timestamp now) const {
  Request& request = admitted.request();
  if (request.area == Area::clients) {
    auto planned = plan_clients(request);
    if (!planned) return problem_answer(request, planned.error());
    return *std::move(planned);
  }
  if (request.resource == Resource::export_) {
    auto collections = export_collections(request);
    if (!collections) return problem_answer(request, collections.error());
    if (request.method == Method::head) return export_head(admitted, request.admitted_at);
    return ExportRead{*std::move(collections)};
  }

  const bool typed = request.is_read() ? request.area == Area::query && !body.empty()
                                       : request.method != Method::delete_;
  if (typed) {
    if (auto good = check_body_type(request); !good) {
      Response response = problem_answer(request, good.error());
      if (request.method == Method::patch) response.add("Accept-Patch", patch_types);
      return response;
    }
  }

  if (request.is_read()) {
    auto planned = plan_read(request, std::move(body), impl_->queries, impl_->identity.cursor_key);
    if (!planned) return problem_answer(request, planned.error());
    const bool one_plain = !request.id.empty() && !request.query;
    return Read{.large = !one_plain && request.resource != Resource::collections,
                .min_revision = request.min_revision};
  }
  auto command = plan_write(request, body, now, impl_->limits);
  if (!command) return problem_answer(request, command.error());
  return Write{*std::move(command)};
}

Response Service::read(const Admitted& admitted, const document::View& view, Timestamp now) const {
  return answer_read(impl_->reading(), admitted.request(), view, now);
}

Response Service::written(const Admitted& admitted, const Result<engine::Outcome>& outcome) const {
  if (!outcome) return problem_answer(admitted.request(), outcome.error());
  if (admitted.request().area == Area::sessions) {
    warn_of_short_ids(*outcome, impl_->short_id_told);
  }
  return answer_write(admitted.request(), *outcome, impl_->identity.id);
}

Response Service::told(const Admitted& admitted, const ClientsReply& reply) const {
  return answer_clients(admitted.request(), reply);
}

Response Service::export_head(const Admitted& admitted, document::Revision revision) const {
  Response response = begin_answer(admitted.request());
  add_revision(response, revision);
  response.headers += "Content-Type: application/x-ndjson\r\n";
  return response;
}

Response Service::failed(const Admitted& admitted, const Error& error) const {
  return problem_answer(admitted.request(), error);
}

Response Service::body_too_large(const Admitted& admitted) const {
  const Request& request = admitted.request();
  const std::size_t max = admitted.body_max(impl_->limits);
  return problem_answer(
      request,
      error(Errc::too_large, "the body is over the limit " +
                                 std::string(request.is_read() ? "query_text" : "request_body") +
                                 " of " + std::to_string(max) + " bytes"));
}

std::optional<Response> Service::refuse_upgrade(const RequestHead& head) const {
  std::forward_list<std::string> joined;
  Fields fields = parse_fields(head.headers, joined);
  const auto source = check_source(impl_->admission(), fields);
  if (source) return std::nullopt;
  return problem(source.error());
}

Response Service::problem(const Error& error) {
  Response response;
  render_problem(error, response);
  return response;
}

}  // namespace doctor::rest
