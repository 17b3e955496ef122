#include "doctor/rest/problem.hpp"

#include "doctor/base/text.hpp"
#include "doctor/json/value.hpp"

namespace doctor::rest {
namespace {

struct Row {
  int status;
  std::string_view title;
};

Row row_of(Errc code) {
  switch (code) {
    case Errc::invalid:
      return {400, "Bad Request"};
    case Errc::unauthenticated:
      return {401, "Unauthorized"};
    case Errc::forbidden:
      return {403, "Forbidden"};
    case Errc::not_found:
      return {404, "Not Found"};
    case Errc::method_not_allowed:
      return {405, "Method Not Allowed"};
    case Errc::not_acceptable:
      return {406, "Not Acceptable"};
    case Errc::timed_out:
      return {408, "Request Timeout"};
    case Errc::conflict:
      return {409, "Conflict"};
    case Errc::precondition_failed:
      return {412, "Precondition Failed"};
    case Errc::too_large:
      return {413, "Content Too Large"};
    case Errc::target_too_long:
      return {414, "URI Too Long"};
    case Errc::unsupported_type:
      return {415, "Unsupported Media Type"};
    case Errc::too_many:
      return {429, "Too Many Requests"};
    case Errc::headers_too_large:
      return {431, "Request Header Fields Too Large"};
    case Errc::internal:
      return {500, "Internal Server Error"};
    case Errc::unavailable:
      return {503, "Service Unavailable"};
    case Errc::out_of_space:
      return {507, "Insufficient Storage"};
  }
  return {500, "Internal Server Error"};
}

// Details quote what a peer sent, in which there may be any octet.
void append_text(std::string& out, std::string_view text) {
  if (is_utf8(text)) {
    json::append_string(out, text);
    return;
  }
  std::string ascii(text);
  for (char& c : ascii) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  json::append_string(out, ascii);
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_text(out, text);
}

bool is_word_character(char c) {
  return c == '_' || c == '$' || c == '@' || c == '.' || (c >= '0' && c <= '9') ||
         (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

// Whether a detail speaks of a field already, as a word of its own.
bool mentions(std::string_view detail, std::string_view field) {
  for (auto at = detail.find(field); at != std::string_view::npos;
       at = detail.find(field, at + 1)) {
    const auto end = at + field.size();
    if ((at == 0 || !is_word_character(detail[at - 1])) &&
        (end == detail.size() || !is_word_character(detail[end]))) {
      return true;
    }
  }
  return false;
}

// A place in a query can be as long as the query.
constexpr std::size_t repeated_max = 300;

// The members `field` and `id` are for programs; a person reads the detail, which says it all.
std::string full_detail(const Error& failure) {
  std::string detail;
  if (!failure.field.empty() && failure.field.size() <= repeated_max &&
      !mentions(failure.detail, failure.field)) {
    detail = failure.field + ": ";
  }
  detail += failure.detail;
  if (!failure.id.empty()) detail += " (id: " + failure.id + ")";
  return detail;
}

}  // namespace

int status_of(Errc code) {
  return row_of(code).status;
}

Error invalid_in(std::string_view field, std::string detail) {
  Error failure = invalid(std::move(detail));
  failure.field = field;
  return failure;
}

void render_problem(const Error& failure, Response& response) {
  const auto [status, title] = row_of(failure.code);
  response.status = status;
  response.headers += "Content-Type: application/problem+json\r\n";
  if (status == 429 || status == 503) response.headers += "Retry-After: 1\r\n";

  std::string& body = response.body;
  body = "{\"type\":\"about:blank\"";
  append_member(body, "title", title);
  body.append(",\"status\":").append(std::to_string(status));
  append_member(body, "detail", full_detail(failure));
  if (!failure.field.empty()) append_member(body, "field", failure.field);
  if (failure.offset) body.append(",\"offset\":").append(std::to_string(*failure.offset));
  if (!failure.id.empty()) append_member(body, "id", failure.id);
  body += '}';
}

}  // namespace doctor::rest
