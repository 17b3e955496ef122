#include "doctor/rest/answer.hpp"

#include <array>
#include <charconv>

#include "doctor/rest/compression.hpp"
#include "doctor/rest/problem.hpp"

namespace doctor::rest {
namespace {

constexpr std::string_view vary = "Vary: SECRET, SESSION, Authorization, Accept-Encoding\r\n";
constexpr std::string_view private_no_cache = "Cache-Control: private, no-cache\r\n";
constexpr std::string_view no_store = "Cache-Control: no-store\r\n";
constexpr std::string_view exposed =
    "Access-Control-Expose-Headers: Doctor-Revision, Doctor-Total-Count, Doctor-Next, ETag, Link, "
    "Location, Retry-After, Preference-Applied, Server-Timing\r\n";

// Room for the headers of a usual answer, so that they are allocated once.
constexpr std::size_t usual_headers = 400;

}  // namespace

Response begin_answer(const Request& request) {
  Response response;
  response.route = route_name(request.resource);
  response.send_body = request.method != Method::head;
  std::string& headers = response.headers;
  headers.reserve(usual_headers);
  switch (request.area) {
    case Area::entities:
    case Area::query:
      headers.append(private_no_cache).append(vary);
      break;
    case Area::sessions:
    case Area::clients:
      headers.append(no_store).append(vary);
      break;
    case Area::none:
      if (request.resource == Resource::export_) headers.append(no_store).append(vary);
      break;
  }
  if (!request.allowed_origin.empty()) {
    response.add("Access-Control-Allow-Origin", request.allowed_origin);
    if (request.allowed_origin != "*") headers += "Vary: Origin\r\n";
    headers += exposed;
  }
  return response;
}

void add_revision(Response& response, document::Revision revision) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), revision.value).ptr;
  response.headers.append("Doctor-Revision: ").append(digits.data(), end).append("\r\n");
}

Response problem_answer(const Request& request, const Error& failure, document::Revision revision) {
  Response response = begin_answer(request);
  const bool of_the_store = request.area != Area::none && request.area != Area::clients;
  if (of_the_store || request.resource == Resource::export_) {
    add_revision(response, revision);
  }
  render_problem(failure, response);
  return response;
}

Response problem_answer(const Request& request, const Error& failure) {
  return problem_answer(request, failure, request.admitted_at);
}

bool compress(const Request& request, Response& response) {
  if (!request.accepts_gzip) return false;
  auto compressed = gzip(response.body);
  if (!compressed) return false;
  response.body = *std::move(compressed);
  response.headers += "Content-Encoding: gzip\r\n";
  return true;
}

}  // namespace doctor::rest
