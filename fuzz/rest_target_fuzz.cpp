// A request with any head and body is carried through all steps over a small store in memory. The
// input: an octet of switches, the method, the target and header lines, each ending in a newline,
// an empty line, and the body. Whatever it is, every answer is well-formed.
#include <optional>
#include <string>
#include <vector>

#include "doctor/base/text.hpp"
#include "doctor/document/memory_view.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/rest/service.hpp"
#include "require.hpp"

namespace {

using namespace doctor;
using namespace doctor::rest;

constexpr Timestamp now{1'700'000'000'000};

struct Place {
  explicit Place(std::optional<std::string> secret)
      : authority(std::move(secret)),
        service({.cors_origins = {"https://app.example"}, .version = "1"}, limits(), authority,
                {"0a1b2c3d", Key{1, 2, 3}}) {
    view.put("vm", R"({"id":"1","name":"vm1","cluster":"c1","disk":["d1"]})");
    view.put("vm", R"({"id":"2","name":"vm2","cluster":"c2"})");
    view.put("cluster", R"({"id":"c1","name":"Default"})");
    view.put("disk", R"({"id":"d1","vm":1})");
    view.put("$sessions", R"({"id":"s","permissions":{"vm":"1","cluster":"*"}})");
    view.put("$sessions", R"({"id":"e","permissions":"*","expires":"2020-01-01T00:00:00Z"})");
  }

  static Limits limits() {
    Limits small;
    small.query_documents = 10'000;
    small.answer_size = 1u << 20;
    return small;
  }

  document::MemoryView view;
  engine::Authority authority;
  Service service;
};

void check(const Response& response) {
  require(response.status >= 200 && response.status <= 599);
  std::string_view rest = response.headers;
  while (!rest.empty()) {
    const auto end = rest.find("\r\n");
    require(end != std::string_view::npos);
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    require(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    require(line.find(": ") != std::string_view::npos);
  }
  if (response.status >= 400) require(json::compact(response.body, 8).has_value());
  if (response.status == 204 || response.status == 304) require(response.body.empty());
  require(!response.route.empty());
}

std::string_view take_line(std::string_view& input) {
  const std::string_view line = input.substr(0, input.find('\n'));
  input.remove_prefix(std::min(line.size() + 1, input.size()));
  return line;
}

void answer(const Place& place, const RequestHead& head, std::string_view body) {
  if (const auto refused = place.service.refuse_upgrade(head)) check(*refused);
  auto admission = place.service.admit(head, place.view, now);
  if (const auto* response = std::get_if<Response>(&admission)) return check(*response);
  if (const auto* failed = std::get_if<FailedLogin>(&admission)) return check(failed->response);
  auto* admitted = std::get_if<Admitted>(&admission);
  if (admitted == nullptr) return;
  check(place.service.body_too_large(*admitted));
  auto plan = place.service.plan(*admitted, std::string(admitted->wants_body() ? body : ""), now);
  if (const auto* response = std::get_if<Response>(&plan)) return check(*response);
  if (std::holds_alternative<Read>(plan)) {
    const Response response = place.service.read(*admitted, place.view, now);
    check(response);
    if (response.status == 200 && response.headers.find("Content-Encoding") == std::string::npos) {
      require(json::compact(response.body, 1'000).has_value());
    }
    return;
  }
  if (const auto* write = std::get_if<Write>(&plan)) {
    engine::Outcome outcome;
    const std::string& collection = write->command.collection;
    outcome.changes = {{document::ChangeKind::created, collection, "a/\"b", {}},
                       {document::ChangeKind::updated, collection, "c", {"x", "\x01"}},
                       {document::ChangeKind::removed, collection, "d", {}}};
    check(place.service.written(*admitted, outcome));
    check(place.service.written(*admitted, error(Errc::conflict, "no")));
    return;
  }
  check(place.service.export_head(*admitted, place.view.revision()));
  for (const std::string& name : std::get<ExportRead>(plan).collections) require(!name.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Place unsecured{std::nullopt};
  static const Place secured{"sesame"};
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const bool is_secured = (input.front() & 1) != 0;
  input.remove_prefix(1);

  RequestHead head;
  head.method = take_line(input);
  head.target = take_line(input);
  head.peer = "127.0.0.1";
  std::vector<Header> headers;
  while (!input.empty()) {
    const std::string_view line = take_line(input);
    if (line.empty()) break;
    // The parser in front of this room lets no control character through.
    if (line.find_first_of(std::string_view("\r\0", 2)) != std::string_view::npos) continue;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    headers.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  head.headers = headers;
  answer(is_secured ? secured : unsecured, head, input);
  return 0;
}
