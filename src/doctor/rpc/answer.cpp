#include "doctor/rpc/answer.hpp"

#include "doctor/json/value.hpp"

namespace doctor::rpc {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view json) {
  if (json.empty()) return;
  out.append(",\"").append(name).append("\":").append(json);
}
void append_text(std::string& out, std::string_view name, std::string_view text) {
  if (!text.empty()) append_member(out, name, json::quoted(text));
}

std::string begin_result(const rest::Response& response) {
  return "{\"revision\":" + std::string(response.header("Doctor-Revision"));
}

std::string read_result(const Method& method, const rest::Response& response) {
  const bool is_one =
      method.resource == rest::Resource::document || method.resource == rest::Resource::session;
  std::string result = begin_result(response);
  append_member(result, method.member, response.octets());
  append_member(result, "total", response.header("Doctor-Total-Count"));
  append_text(result, "next", response.header("Doctor-Next"));
  // Of what was put together for a query there is a weak one, which no write takes.
  const std::string_view etag = response.header("ETag");
  if (is_one && etag.starts_with('"')) append_text(result, "etag", etag);
  return result += '}';
}

std::string write_result(const rest::Response& response, bool in_full) {
  const std::string_view summary = response.octets();
  std::string result = in_full && !summary.empty()
                           ? std::string(summary.substr(0, summary.size() - 1))
                           : begin_result(response);
  append_text(result, "etag", response.header("ETag"));
  return result += '}';
}

}  // namespace

events::RpcError error_of(const rest::Response& response) {
  events::RpcError error{response.status, {}, std::string(response.octets())};
  for (const json::Member& member : json::Members(error.data)) {
    if (member.name == "detail") error.message = json::unescape(json::content(member.value));
  }
  return error;
}

Answer answer_of(const Method& method, const rest::Response& response, std::size_t room) {
  if (response.status >= 300) return error_of(response);
  if (method.verb == rest::Method::get) return read_result(method, response);
  return write_result(response, response.octets().size() <= room);
}

}  // namespace doctor::rpc
