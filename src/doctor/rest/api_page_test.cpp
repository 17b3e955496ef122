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

TEST(ApiPage, ShowsWhatIsTrue) {
  World doctor;
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
