#include "doctor/rest/read_plan.hpp"

#include "doctor/base/text.hpp"
#include "doctor/document/names.hpp"
#include "doctor/rest/cursor.hpp"
#include "doctor/rest/problem.hpp"
#include "doctor/rest/target.hpp"

namespace doctor::rest {
namespace {

bool is_single(const Request& request) {
  return request.resource == Resource::document || request.resource == Resource::query_document ||
         request.resource == Resource::session;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

bool takes_query_body(const Request& request) {
  switch (request.resource) {
    case Resource::collection:
    case Resource::document:
    case Resource::query_collection:
    case Resource::query_document:
    case Resource::sessions:
    case Resource::session:
      return request.is_read() && !request.query_parameter;
    default:
      return false;
  }
}

Result<void> plan_read(Request& request, std::string body, QueryCache& queries,
                       const Key& cursor_key) {
  if (sent(request.fields.min_revision)) {
    const auto revision = parse_unsigned(request.fields.min_revision, UINT64_MAX);
    if (!revision) {
      return invalid_in("Doctor-Min-Revision", "Doctor-Min-Revision must be a revision's number");
    }
    request.min_revision = document::Revision{*revision};
  }

  std::string text;
  if (request.query_parameter) {
    auto decoded = decode_parameter(*request.query_parameter);
    if (!decoded) return decoded.error();
    text = *std::move(decoded);
  } else if (takes_query_body(request)) {
    text = std::move(body);
    request.query_in_body = true;
  }
  if (is_blank(text)) return {};
  if (request.resource == Resource::collections) {
    return invalid_in("q", "the list of collections takes no query");
  }

  auto query = queries.parse(text, request.collection, is_single(request));
  if (!query) return query.error();
  if (query->is_plain()) return {};
  request.query = *std::move(query);
  request.query_text = std::move(text);
  if (const auto& after = request.query->after()) {
    auto position = open_cursor(cursor_key, *after);
    if (!position) {
      return invalid_in("after", "this cursor was not made by this server, or was changed");
    }
    request.position = *std::move(position);
  }
  return {};
}

Result<std::vector<std::string>> export_collections(const Request& request) {
  std::vector<std::string> collections;
  ParameterValues values(request.parameters, "collection");
  while (const auto value = values.next()) {
    auto name = decode_parameter(*value);
    if (!name) return name.error();
    if (!document::is_collection_name(*name)) {
      return invalid_in("collection", "\"" + *name +
                                          "\" is not the name of a collection: 1 to 64 of "
                                          "A-Z a-z 0-9 _ -");
    }
    collections.push_back(*std::move(name));
  }
  return collections;
}

}  // namespace doctor::rest
