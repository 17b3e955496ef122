#include "doctor/rest/clients.hpp"

#include "doctor/base/text.hpp"
#include "doctor/json/value.hpp"
#include "doctor/rest/answer.hpp"
#include "doctor/rest/problem.hpp"
#include "doctor/rest/target.hpp"

namespace doctor::rest {
namespace {

constexpr std::uint64_t usual_limit = 100;
constexpr std::uint64_t limit_max = 1'000;

Result<std::uint64_t> number_parameter(const Request& request, std::string_view name,
                                       std::uint64_t otherwise, std::uint64_t min,
                                       std::uint64_t max) {
  const auto value = find_parameter(request.parameters, name);
  if (!value) return value.error();
  if (!*value) return otherwise;
  const auto number = parse_unsigned(**value, max);
  if (number && *number >= min) return *number;
  return invalid_in(name, std::string(name) + " is a number from " + std::to_string(min) + " to " +
                              std::to_string(max));
}

Result<bool> flag_parameter(const Request& request, std::string_view name) {
  const auto value = find_parameter(request.parameters, name);
  if (!value) return value.error();
  if (!*value || **value == "false") return false;
  if (**value == "true") return true;
  return invalid_in(name, std::string(name) + " is true or false");
}

// The name of the next member of the object that is being written; its value is to follow.
std::string& member(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  json::append_string(out, name);
  return out += ':';
}
void add_text(std::string& out, std::string_view name, std::string_view value) {
  json::append_string(member(out, name), value);
}
void add_number(std::string& out, std::string_view name, std::uint64_t value) {
  member(out, name) += std::to_string(value);
}
void add_flag(std::string& out, std::string_view name, bool value) {
  member(out, name) += value ? "true" : "false";
}
void add_time(std::string& out, std::string_view name, Timestamp value) {
  add_text(out, name, document::to_rfc3339(value));
}

std::uint64_t in_seconds(std::chrono::seconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}

std::string_view name_of(document::Principal::Kind kind) {
  switch (kind) {
    case document::Principal::Kind::connector:
      return "connector";
    case document::Principal::Kind::session:
      return "session";
    case document::Principal::Kind::anyone:
      break;
  }
  return "anyone";
}

void write(const mqtt::ClientView::Connection& connection, std::string& out) {
  out += '{';
  add_time(out, "since", connection.since);
  add_text(out, "address", connection.address);
  add_text(out, "transport", connection.websocket ? "websocket" : "tcp");
  add_flag(out, "tls", connection.tls);
  add_text(out, "version", connection.version == mqtt::Version::v5_0 ? "5.0" : "3.1.1");
  if (!connection.user_name.empty()) add_text(out, "user_name", connection.user_name);
  add_flag(out, "clean_start", connection.clean_start);
  add_number(out, "keep_alive", in_seconds(connection.keep_alive));
  out += '}';
}

void write(const mqtt::ClientView::Subscription& subscription, std::string& out) {
  out += '{';
  add_text(out, "filter", subscription.filter);
  add_number(out, "qos", static_cast<std::uint64_t>(subscription.options.qos));
  if (subscription.options.no_local) add_flag(out, "no_local", true);
  if (subscription.options.retain_as_published) add_flag(out, "retain_as_published", true);
  if (subscription.identifier) add_number(out, "identifier", *subscription.identifier);
  out += '}';
}

void write(const mqtt::ClientView::Queue& queue, std::string& out) {
  out += '{';
  add_number(out, "messages", queue.messages);
  add_number(out, "bytes", queue.bytes);
  out += '}';
}

void write(const mqtt::ClientView& client, std::string& out);

template <class Item>
void write(const std::vector<Item>& items, std::string& out) {
  out += '[';
  for (const Item& item : items) {
    if (&item != &items.front()) out += ',';
    write(item, out);
  }
  out += ']';
}

void write(const mqtt::ClientView& client, std::string& out) {
  out += '{';
  add_text(out, "id", client.id);
  add_text(out, "client_id", client.client_id);
  add_text(out, "principal", name_of(client.principal));
  if (!client.session.empty()) add_text(out, "session", client.session);
  if (client.connection) write(*client.connection, member(out, "connection"));
  if (client.away) {
    member(out, "away") += '{';
    add_time(out, "since", client.away->since);
    add_time(out, "ends", client.away->ends);
    out += '}';
  }
  add_number(out, "session_expiry", in_seconds(client.session_expiry));
  member(out, "subscriptions") += '{';
  add_number(out, "count", client.subscriptions);
  write(client.shown, member(out, "first"));
  out += '}';
  write(client.outbox, member(out, "queued"));
  write(client.inflight, member(out, "in_flight"));
  add_number(out, "commits_behind", client.behind);
  out += '}';
}

Response json_answer(const Request& request) {
  Response response = begin_answer(request);
  response.headers += "Content-Type: application/json\r\n";
  return response;
}

}  // namespace

Result<ClientsRequest> plan_clients(const Request& request) {
  if (request.resource == Resource::clients) {
    const auto from = number_parameter(request, "after", 0, 0, UINT32_MAX);
    if (!from) return from.error();
    const auto limit = number_parameter(request, "limit", usual_limit, 1, limit_max);
    if (!limit) return limit.error();
    return ListClients{static_cast<std::uint32_t>(*from), static_cast<std::size_t>(*limit)};
  }
  if (request.is_read()) return ShowClient{std::string(request.id)};
  const auto end_session = flag_parameter(request, "session");
  if (!end_session) return end_session.error();
  return DisconnectClient{std::string(request.id), *end_session};
}

Response answer_clients(const Request& request, const ClientsReply& reply) {
  if (const auto* page = std::get_if<mqtt::ClientPage>(&reply)) {
    Response response = json_answer(request);
    write(page->clients, response.body);
    if (page->next) {
      const auto limit = number_parameter(request, "limit", usual_limit, 1, limit_max);
      response.add("Link", "</mqtt/clients?limit=" + std::to_string(*limit) +
                               "&after=" + std::to_string(*page->next) + ">; rel=\"next\"");
    }
    compress(request, response);
    return response;
  }
  if (const auto* client = std::get_if<mqtt::ClientView>(&reply)) {
    Response response = json_answer(request);
    write(*client, response.body);
    compress(request, response);
    return response;
  }
  if (const auto* done = std::get_if<mqtt::Disconnected>(&reply)) {
    Response response = json_answer(request);
    response.body += '{';
    add_flag(response.body, "disconnected", done->was_connected);
    add_flag(response.body, "session_ended", done->session_ended);
    response.body += '}';
    return response;
  }
  return problem_answer(request, error(Errc::not_found, "there is no MQTT client with this id"));
}

}  // namespace doctor::rest
