#include "doctor/rest/read.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>

#include "doctor/base/crypto.hpp"
#include "doctor/base/text.hpp"
#include "doctor/json/value.hpp"
#include "doctor/rest/active_sessions.hpp"
#include "doctor/rest/answer.hpp"
#include "doctor/rest/condition.hpp"
#include "doctor/rest/credentials.hpp"
#include "doctor/rest/cursor.hpp"
#include "doctor/rest/entity_tag.hpp"
#include "doctor/rest/read_plan.hpp"

namespace doctor::rest {
namespace {

using document::Revision;

// A link that is longer may not fit in what a client or a proxy takes for headers.
constexpr std::size_t link_query_max = 4096;

constexpr std::string_view json_type = "Content-Type: application/json\r\n";

const query::Query& plain_query() {
  static const query::Query query;
  return query;
}

// Of where the next page begins. That counts the documents that were ever created, also those that
// the reader may not know of, so nobody without the key may find it by trying.
std::uint64_t secret_hash(const Key& key, std::string_view position) {
  if (position.empty()) return 0;
  std::string keyed(key.begin(), key.end());
  const Digest digest = sha256(keyed.append(position));
  std::uint64_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

Response too_long(const Request& request, const document::View& view) {
  return problem_answer(
      request,
      error(Errc::too_large, "the answer is longer than the " + std::to_string(request.answer_max) +
                                 " bytes that can be sent here: use limit, or select less"),
      view.revision());
}

/// One read, over the view of its reader.
class Reading {
 public:
  /// @param permissions  of the session that reads; null: everything may be read
  Reading(const ReadContext& context, const Request& request, const document::View& view,
          const document::Permissions* permissions)
      : context_(context), request_(request), view_(view), permissions_(permissions) {}

  Response document() const;
  Response list() const;
  Response collections() const;

 private:
  Response plain_document() const;
  template <class Run>
  Response query(Run run) const;

  Response begin() const;
  Response not_found() const;
  Response precondition_failed() const;
  Response not_modified(Response response, bool weak, std::string_view opaque) const;
  Response conditional(Response response, std::string_view opaque) const;
  Limits query_limits() const;
  Response query_failed(Error failure) const;

  /// What is known of an answer before its query has run.
  struct Foreknown {
    std::string tag;
    std::string key;  ///< all that the answer depends on, for the cache of answers
  };
  std::optional<Foreknown> before_running() const;
  Response kept(Response response, const KeptAnswer& answer, std::string_view tag) const;
  void add_next(Response& response, std::string_view position) const;

  const ReadContext& context_;
  const Request& request_;
  const document::View& view_;
  const document::Permissions* permissions_;
};

void add_number(Response& response, std::string_view name, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  response.add(name, {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void add_timing(Response& response, std::chrono::steady_clock::duration took) {
  const std::chrono::duration<double, std::milli> milliseconds = took;
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), milliseconds.count(),
                                 std::chars_format::fixed, 3)
                       .ptr;
  response.headers.append("Server-Timing: query;dur=").append(digits.data(), end).append("\r\n");
}

Response Reading::begin() const {
  Response response = begin_answer(request_);
  add_revision(response, view_.revision());
  return response;
}

Response Reading::not_found() const {
  Error failure = error(Errc::not_found, "there is no such session");
  if (request_.area != Area::sessions) {
    failure.detail = "there is no document " + json::quoted(request_.id) + " in the collection " +
                     std::string(request_.collection);
  }
  return problem_answer(request_, failure, view_.revision());
}

Response Reading::precondition_failed() const {
  return problem_answer(request_,
                        error(Errc::precondition_failed, "the document is not what If-Match names"),
                        view_.revision());
}

Response Reading::not_modified(Response response, bool weak, std::string_view opaque) const {
  response.status = 304;
  response.body.clear();
  response.headers.append("ETag: ").append(weak ? "W/\"" : "\"").append(opaque).append("\"\r\n");
  return response;
}

// The answer with its weak tag, or 304 or 412 as the request's conditions say.
Response Reading::conditional(Response response, std::string_view opaque) const {
  const AnswerTag tag(opaque);
  if (!tag.meets_if_match(request_.fields)) return precondition_failed();
  if (tag.matched(request_.fields)) return not_modified(std::move(response), true, opaque);
  response.headers.append(json_type).append("ETag: W/\"").append(opaque).append("\"\r\n");
  compress(request_, response);
  return response;
}

Response Reading::plain_document() const {
  const auto collection = view_.collection(request_.collection);
  const auto entry = collection ? view_.find(*collection, request_.id) : std::nullopt;
  if (!entry) return not_found();

  const Revision revision = entry->document.revision();
  if (has_condition(request_.fields)) {
    const AnswerTag tag(context_.identity.id, revision);
    if (!tag.meets_if_match(request_.fields)) return precondition_failed();
    if (const auto matched = tag.matched(request_.fields)) {
      std::string own;
      append_document_tag(own, context_.identity.id, revision, false);
      // The encoding in which the client has it is in the tag it sent.
      const std::string_view opaque =
          matched->empty() ? json::content(own) : std::string_view(*matched);
      return not_modified(begin(), false, opaque);
    }
  }

  Response response = begin();
  response.headers += json_type;
  response.body = entry->document.text();
  const bool compressed = compress(request_, response);
  response.headers += "ETag: ";
  append_document_tag(response.headers, context_.identity.id, revision, compressed);
  response.headers += "\r\n";
  return response;
}

// For a reader who may read all that the query names. Not for sessions: one expires without a
// revision.
std::optional<Reading::Foreknown> Reading::before_running() const {
  if (request_.area == Area::sessions) return std::nullopt;
  Revision newest;
  const auto touch = [&](std::string_view name) {
    if (permissions_ != nullptr && !permissions_->reads_all_of(name)) return false;
    if (const auto number = view_.collection(name)) {
      newest = std::max(newest, view_.info(*number).revision);
    }
    return true;
  };
  if (!request_.query) {
    if (!touch(request_.collection)) return std::nullopt;
  } else {
    for (const std::string& name : request_.query->collections()) {
      if (!touch(name)) return std::nullopt;
    }
  }
  // The id of a document is not empty, and the name of a collection holds no slash.
  std::string asked(request_.collection);
  asked.append("/").append(request_.id).append("?").append(request_.query_text);
  Foreknown foreknown{query_tag(context_.identity.id, hash64(asked), newest), {}};
  // Where the query came in decides how the next page is told of.
  foreknown.key = std::to_string(newest.value) + (request_.query_in_body ? " body " : " ") +
                  (request_.accepts_gzip ? "gzip " : "") + asked;
  return foreknown;
}

Response Reading::kept(Response response, const KeptAnswer& answer, std::string_view tag) const {
  if (!AnswerTag(tag).meets_if_match(request_.fields)) return precondition_failed();
  response.headers += "Server-Timing: kept\r\n";
  response.headers += answer.headers;
  response.shared_body = answer.body;
  response.repeatable = Repeatable{view_.revision(), std::nullopt};
  return response;
}

void Reading::add_next(Response& response, std::string_view position) const {
  if (position.empty() || !request_.query) return;
  const std::string cursor = seal_cursor(context_.identity.cursor_key, position);
  if (!request_.query_in_body) {
    const std::string query = percent_encode(request_.query->text_after(cursor));
    if (query.size() <= link_query_max) {
      std::string link = request_.area == Area::sessions
                             ? "</sessions"
                             : "</entities/" + std::string(request_.collection);
      link.append("?q=").append(query).append(">; rel=\"next\"");
      response.add("Link", link);
      return;
    }
  }
  response.add("Doctor-Next", cursor);
}

// What would be too long to be sent is given up as soon as that is known.
Limits Reading::query_limits() const {
  Limits limits = context_.limits;
  limits.answer_size = std::min(limits.answer_size, request_.answer_max);
  return limits;
}

// What passes `answer_size` asks too much of Doctor, not of whoever carries the answer.
Response Reading::query_failed(Error failure) const {
  if (failure.code == Errc::too_large) {
    if (request_.answer_max < context_.limits.answer_size) return too_long(request_, view_);
    failure.code = Errc::invalid;
  }
  return problem_answer(request_, failure, view_.revision());
}

// @param run  runs the query, appending to the body: Result<query::Page>
template <class Run>
Response Reading::query(Run run) const {
  auto foreknown = before_running();
  Response response = begin();
  if (foreknown && !sent(request_.fields.if_match) &&
      AnswerTag(foreknown->tag).matched(request_.fields)) {
    return not_modified(std::move(response), true, foreknown->tag);
  }
  if (foreknown) {
    if (const auto answer = context_.answers.find(foreknown->key)) {
      return kept(std::move(response), *answer, foreknown->tag);
    }
  }

  const auto start = std::chrono::steady_clock::now();
  Result<query::Page> page = run(response.body);
  if (!page) return query_failed(page.error());
  add_timing(response, std::chrono::steady_clock::now() - start);
  const std::size_t own_headers = response.headers.size();

  if (page->total) add_number(response, "Doctor-Total-Count", *page->total);
  add_next(response, page->next);
  if (foreknown) {
    response = conditional(std::move(response), foreknown->tag);
    if (response.status == 200 && context_.answers.takes(foreknown->key, response.body.size())) {
      response.shared_body = std::make_shared<const std::string>(std::move(response.body));
      response.body.clear();
      context_.answers.keep(std::move(foreknown->key),
                            {response.headers.substr(own_headers), response.shared_body});
    }
    return response;
  }
  // What the headers say of the answer counts as part of it.
  const std::uint64_t hash = hash64(response.body) +
                             3 * secret_hash(context_.identity.cursor_key, page->next) +
                             5 * (page->total ? *page->total + 1 : 0);
  return conditional(std::move(response), answer_tag(hash));
}

Response Reading::document() const {
  if (!request_.query) return plain_document();
  // Before any condition: of what is not there, nothing can be unmodified.
  const auto collection = view_.collection(request_.collection);
  if (!collection || !view_.find(*collection, request_.id)) return not_found();
  return query([this](std::string& out) -> Result<query::Page> {
    auto done =
        query::one(view_, request_.collection, request_.id, *request_.query, query_limits(), out);
    if (!done) return done.error();
    return query::Page{};
  });
}

Response Reading::list() const {
  return query([this](std::string& out) {
    return query::list(view_, request_.collection, request_.query ? *request_.query : plain_query(),
                       request_.position, query_limits(), out);
  });
}

Response Reading::collections() const {
  Response response = begin();
  std::string& body = response.body;
  body = "[";
  for (const document::CollectionInfo& info : view_.collections()) {
    if (body.size() > 1) body += ',';
    // Names of collections need no escapes.
    body.append("{\"name\":\"").append(info.name).append("\",\"count\":");
    body.append(std::to_string(info.count)).append("}");
  }
  body += ']';
  return conditional(std::move(response), answer_tag(hash64(body)));
}

}  // namespace

Response answer_read(const ReadContext& context, const Request& request, const document::View& view,
                     Timestamp now) {
  if (request.min_revision && view.revision() < *request.min_revision) {
    return problem_answer(
        request,
        error(Errc::unavailable, "this store has not yet reached the revision that was asked for"),
        view.revision());
  }

  if (request.area == Area::sessions) {
    const ActiveSessions active(view, now);
    const Reading reading(context, request, active, nullptr);
    Response response = request.resource == Resource::session ? reading.document() : reading.list();
    if (response.octets().size() > request.answer_max) return too_long(request, view);
    return response;
  }

  std::shared_ptr<const document::Session> session;
  if (request.access.kind == document::Principal::Kind::session) {
    session = context.authority.session(view, request.access.session_id, now);
    // It was known when the request was admitted, and has been removed or has expired since.
    if (session == nullptr) {
      Response response = problem_answer(
          request, error(Errc::unauthenticated, "the session is not known, or no longer"),
          view.revision());
      response.add("WWW-Authenticate", challenge(Need::reader, true));
      return response;
    }
  }

  const auto read = [&](const document::View& seen, const document::Permissions* permissions) {
    const Reading reading(context, request, seen, permissions);
    switch (request.resource) {
      case Resource::document:
      case Resource::query_document:
        return reading.document();
      case Resource::collections:
        return reading.collections();
      default:
        return reading.list();
    }
  };
  Response response;
  if (session == nullptr || session->permissions.reads_everything()) {
    response = read(view, nullptr);
  } else {
    response = read(document::PermittedView(view, session->permissions), &session->permissions);
  }
  if (response.octets().size() > request.answer_max) return too_long(request, view);
  if (request.area == Area::entities && request.resource != Resource::collection &&
      !request.query) {
    response.repeatable = Repeatable{view.revision(), std::nullopt};
  }
  if (response.repeatable && session != nullptr) response.repeatable->until = session->expires;
  return response;
}

}  // namespace doctor::rest
