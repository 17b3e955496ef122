// The exchanges on docs/api.md, carried out in their order.
#include <fstream>
#include <regex>
#include <sstream>

#include "doctor/json/scanner.hpp"
#include "doctor/rest/world.hpp"

namespace doctor::rest {
namespace {

struct Exchange {
  std::string method;
  std::string target;
  World::Headers headers{};
  std::string body{};
  int status = 0;
  World::Headers expected_headers{};
  std::string expected_body{};
};

World::Headers take_headers(std::istream& lines) {
  World::Headers headers;
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    const auto colon = line.find(": ");
    headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  return headers;
}

Exchange parse_exchange(const std::string& block) {
  const auto answer = block.find("HTTP/1.1 ");
  std::istringstream request(block.substr(0, answer));
  std::istringstream response(block.substr(answer + 9));
  const auto rest_of = [](std::istream& lines) {
    const std::string text(std::istreambuf_iterator<char>(lines), {});
    return text.substr(0, text.find_last_not_of('\n') + 1);
  };
  Exchange exchange;
  request >> exchange.method >> exchange.target;
  request.ignore();
  exchange.headers = take_headers(request);
  exchange.body = rest_of(request);
  std::string reason;
  response >> exchange.status;
  std::getline(response, reason);
  exchange.expected_headers = take_headers(response);
  exchange.expected_body = rest_of(response);
  return exchange;
}

std::vector<Exchange> exchanges_of_the_page() {
  std::ifstream page(DOCTOR_API_PAGE);
  const std::string text(std::istreambuf_iterator<char>(page), {});
  const std::string fence = "```http\n";
  std::vector<Exchange> exchanges;
  for (auto at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
    at += fence.size();
    exchanges.push_back(parse_exchange(text.substr(at, text.find("```", at) - at)));
  }
  return exchanges;
}

// On the page `...` stands for anything, and blanks in JSON are for the reader.
void expect_like(const std::string& expected, const std::string& found) {
  std::string pattern;
  for (const char c : expected) {
    if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  const std::string anything = "\\.\\.\\.";
  for (auto at = pattern.find(anything); at != std::string::npos; at = pattern.find(anything)) {
    pattern.replace(at, anything.size(), ".*");
  }
  EXPECT_TRUE(std::regex_match(found, std::regex(pattern))) << found << "\nis not\n" << expected;
}

std::string without_blanks(const std::string& json) {
  // `...` is no JSON, but a number in its place is.
  std::string text = std::regex_replace(json, std::regex(R"(: \.\.\.)"), ": 1234567890");
  const auto compact = json::compact(text, 64);
  return compact ? std::regex_replace(*compact, std::regex("1234567890"), "...") : json;
}

std::string with_store(std::string text, const std::string& store_id) {
  return std::regex_replace(text, std::regex("5f3a9c1e"), store_id);
}

// The clients of the page.
ClientsReply broker_of_the_page(const ClientsRequest& request) {
  if (std::holds_alternative<DisconnectClient>(request)) return mqtt::Disconnected{true, false};
  const auto at = [](std::string_view time) { return *document::parse_rfc3339(time); };
  mqtt::ClientView connected;
  connected.id = "connector:sensor-7";
  connected.client_id = "sensor-7";
  connected.principal = document::Principal::Kind::connector;
  connected.connection = mqtt::ClientView::Connection{};
  connected.connection->user_name = "connector";
  connected.connection->since = at("2026-03-01T09:30:00Z");
  connected.connection->keep_alive = std::chrono::seconds(60);
  connected.connection->clean_start = false;
  connected.connection->address = "192.0.2.7:51034";
  connected.session_expiry = std::chrono::hours(1);
  connected.subscriptions = 1;
  connected.shown = {{"vm/#", {mqtt::QoS::at_least_once, false, false}, 7}};
  connected.inflight = {2, 480};
  mqtt::ClientView away;
  away.id = "session:3c9909afec25354d:web";
  away.client_id = "web";
  away.principal = document::Principal::Kind::session;
  away.session = "3c9909af";
  away.away = {at("2026-03-01T08:00:00Z"), at("2026-03-01T09:00:00Z")};
  away.session_expiry = std::chrono::hours(1);
  away.behind = 12;
  return mqtt::ClientPage{{connected, away}, 2};
}

TEST(ApiPage, ShowsWhatIsTrue) {
  World doctor;
  doctor.broker = broker_of_the_page;
  const std::string store_id = doctor.store->identity().id;
  const auto exchanges = exchanges_of_the_page();
  ASSERT_GE(exchanges.size(), 15u);
  for (Exchange exchange : exchanges) {
    SCOPED_TRACE(exchange.method + " " + exchange.target);
    for (auto& header : exchange.headers) header.second = with_store(header.second, store_id);
    const auto answer =
        doctor.send(exchange.method, exchange.target, exchange.headers, exchange.body);
    EXPECT_EQ(answer.status, exchange.status) << answer.body;
    for (const auto& [name, value] : exchange.expected_headers) {
      SCOPED_TRACE(name);
      expect_like(with_store(value, store_id), header_of(answer, name));
    }
    const bool problem_left_out = exchange.expected_body.empty() && answer.status >= 400;
    if (problem_left_out) continue;
    std::string body = answer.body;
    while (body.ends_with('\n')) body.pop_back();
    expect_like(without_blanks(exchange.expected_body), body);
  }
}

}  // namespace
}  // namespace doctor::rest
