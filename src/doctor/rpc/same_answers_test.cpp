// Two worlds live through the same random requests, one asked over HTTP, the other by JSON-RPC:
// every answer says the same.

#include <map>

#include "doctor/base/text.hpp"
#include "doctor/json/random_json.hpp"
#include "doctor/json/value.hpp"
#include "doctor/rpc/world.hpp"

namespace doctor::rpc {
namespace {

// One request in both forms.
struct Asked {
  std::string method;
  std::string params;  // members, each behind a comma
  std::string_view verb;
  std::string target;
  rest::World::Headers headers{};
  std::string body{};
  std::string_view member{};  // of a read
};

struct Sender {
  document::Principal principal;
  rest::World::Headers headers;
};

class SameAnswers {
 public:
  explicit SameAnswers(std::uint64_t seed) : random_(seed) {}

  void step() {
    const Sender sender = any_sender();
    const Asked asked = any_request();
    rest::World::Headers headers = sender.headers;
    headers.insert(headers.end(), asked.headers.begin(), asked.headers.end());
    const rest::Response http = http_.send(asked.verb, asked.target, headers, asked.body);
    const std::string params = asked.params.empty() ? "" : "{" + asked.params.substr(1) + "}";
    const Answer rpc = rpc_.call(asked.method, params, sender.principal);
    EXPECT_EQ(neutral(shown(rpc), rpc_.http), neutral(shown(asked, http), http_))
        << asked.method << " " << params << " as " << asked.verb << " " << asked.target;
    outcomes_[http.status]++;
  }
  const std::map<int, int>& outcomes() const { return outcomes_; }

 private:
  std::size_t below(std::size_t n) { return random_.below(n); }
  template <std::size_t n>
  std::string one_of(const std::string_view (&choices)[n]) {
    return std::string(choices[below(n)]);
  }

  Sender any_sender() {
    switch (below(6)) {
      case 0:
        return {session("alice"), {{"SESSION", "alice"}}};
      case 1:
        return {session("bob"), {{"SESSION", "bob"}}};
      case 2:
        return {anyone(), {}};
      default:
        return {connector(), {{"SECRET", "s"}}};
    }
  }

  Asked any_request() {
    switch (below(8)) {
      case 0:
        return with_revision({"Collection.list", "", "GET", "/entities", {}, "", "collections"});
      case 1:
      case 2:
        return any_list();
      case 3:
      case 4:
        return any_get();
      default:
        return any_write();
    }
  }
  Asked with_revision(Asked asked) {
    if (below(5) > 0) return asked;
    const std::string revision = std::to_string(below(30));
    asked.params += ",\"min_revision\":" + revision;
    asked.headers.push_back({"Doctor-Min-Revision", revision});
    return asked;
  }
  // A query has the same text in both forms, so that offsets are the same.
  Asked with_query(Asked asked, std::string query) {
    if (query.empty()) return with_revision(std::move(asked));
    asked.params += ",\"query\":" + query;
    asked.body = std::move(query);
    return with_revision(std::move(asked));
  }
  Asked any_list() {
    const std::string query =
        one_of({"", R"({"select":["id","name"]})", R"({"limit":1})",
                R"({"count":true,"limit":2,"orderBy":"-name"})", R"({"where":{"name":"*a*"}})",
                R"({"where":{"@vm.x":1}})", R"({"select":"@[vm].id"})", R"({"wher":1})",
                R"({"after":"x"})", R"({"limit":-1})"});
    if (below(5) == 0) {
      return with_query({"Session.list", "", "GET", "/sessions", {}, "", "sessions"}, query);
    }
    const std::string collection = any_collection();
    return with_query({"Entity.list",
                       ",\"collection\":" + json::quoted(collection),
                       "GET",
                       "/entities/" + percent_encode(collection),
                       {},
                       "",
                       "documents"},
                      query);
  }
  Asked any_get() {
    const std::string query =
        one_of({"", "", R"({"select":["id","name"]})", R"({"select":"@[vm].id"})", R"({"limit":1})",
                R"({"select":7})"});
    if (below(5) == 0) {
      const std::string id = any_session();
      return with_query({"Session.get",
                         ",\"id\":" + json::quoted(id),
                         "GET",
                         "/sessions/" + percent_encode(id),
                         {},
                         "",
                         "session"},
                        query);
    }
    return with_query(of_document("Entity.get", "GET", "document"), query);
  }

  Asked of_document(std::string method, std::string_view verb, std::string_view member = "") {
    const std::string collection = any_collection();
    const std::string id = any_id();
    return {std::move(method),
            ",\"collection\":" + json::quoted(collection) + ",\"id\":" + json::quoted(id),
            verb,
            "/entities/" + percent_encode(collection) + "/" + percent_encode(id),
            {},
            "",
            member};
  }
  Asked of_session(std::string method, std::string_view verb) {
    const std::string id = any_session();
    return {std::move(method), ",\"id\":" + json::quoted(id), verb,
            "/sessions/" + percent_encode(id)};
  }
  Asked of_collection(std::string method, std::string_view verb) {
    const std::string collection = any_collection();
    return {std::move(method), ",\"collection\":" + json::quoted(collection), verb,
            "/entities/" + percent_encode(collection)};
  }

  static Asked with_body(Asked asked, std::string_view name, std::string body) {
    asked.params += "," + json::quoted(name) + ":" + body;
    asked.body = std::move(body);
    return asked;
  }
  // The stores have ids of their own: a tag is named by a revision.
  Asked with_condition(Asked asked, bool may_be_new) {
    switch (below(6)) {
      case 0: {
        const std::string revision = std::to_string(below(30));
        asked.params += ",\"if_match\":\"" + rpc_.tag(revision) + "\"";
        asked.headers.push_back(
            {"If-Match", "\"" + http_.store->identity().id + "-" + revision + "\""});
        return asked;
      }
      case 1: {
        const std::string value = one_of({"*", "nonsense", "W/\"x\"", "\"a\", \"b\""});
        asked.params += ",\"if_match\":" + json::quoted(value);
        asked.headers.push_back({"If-Match", value});
        return asked;
      }
      case 2: {
        if (!may_be_new) return asked;
        const std::string value = one_of({"*", "*", "\"x\""});
        asked.params += ",\"if_none_match\":" + json::quoted(value);
        asked.headers.push_back({"If-None-Match", value});
        return asked;
      }
      default:
        return asked;
    }
  }
  Asked with_brevity(Asked asked) {
    if (below(4) > 0) return asked;
    asked.params += ",\"minimal\":true";
    asked.headers.push_back({"Prefer", "return=minimal"});
    return asked;
  }
  Asked any_write() {
    switch (below(9)) {
      case 0:
        return with_brevity(
            with_condition(with_body(of_collection("Entity.create", "POST"), "document",
                                     below(2) == 0 ? any_document(true) : any_documents()),
                           true));
      case 1:
      case 2:
        return with_brevity(with_condition(
            with_body(of_document("Entity.put", "PUT"), "document", any_document(false)), true));
      case 3:
      case 4:
        return any_patch(of_document("Entity.patch", "PATCH"));
      case 5:
        return below(3) == 0 ? any_patch(of_session("Session.patch", "PATCH"))
                             : with_condition(with_body(of_session("Session.put", "PUT"), "session",
                                                        any_session_document()),
                                              true);
      case 6:
        return with_condition(below(4) == 0 ? of_session("Session.delete", "DELETE")
                                            : of_document("Entity.delete", "DELETE"),
                              false);
      case 7:
        return with_brevity(
            with_body(of_collection("Collection.replace", "PUT"), "documents", any_documents()));
      default:
        return below(3) > 0 ? any_list() : of_collection("Collection.delete", "DELETE");
    }
  }
  Asked any_patch(Asked asked) {
    switch (below(4)) {
      case 0:
        asked.params += R"(,"type":"merge-patch")";
        asked.headers.push_back({"Content-Type", "application/merge-patch+json"});
        break;
      case 1:
        asked.params += R"(,"type":"json-patch")";
        asked.headers.push_back({"Content-Type", "application/json-patch+json"});
        return with_body(
            std::move(asked), "patch",
            one_of({R"([{"op":"add","path":"/name","value":"z"}])",
                    R"([{"op":"remove","path":"/name"}])",
                    R"([{"op":"test","path":"/id","value":"1"}])", R"([{"op":"x"}])", "[]", "{}"}));
      case 2:
        asked.params += R"(,"type":"fields")";
        break;
      default:
        break;
    }
    return with_brevity(
        with_condition(with_body(std::move(asked), "patch", any_document(false)), false));
  }

  std::string any_collection() {
    return one_of({"vm", "vm", "vm", "cluster", "cluster", "none", "a b", "$sessions"});
  }
  std::string any_id() {
    return one_of({"1", "1", "2", "2", "3", "a/b", "c%20?", "\xC3\xA4", "x\ny"});
  }
  std::string any_session() { return one_of({"alice", "bob", "bob", "carol", "no one"}); }
  std::string any_session_document() {
    return one_of({R"({"permissions":"*"})", R"({"permissions":{"vm":["1","3"]}})",
                   R"({"permissions":{"vm":"*","cluster":"2"}})", R"({"permissions":7})", "{}",
                   R"({"permissions":"*","expires":"2001-01-01T00:00:00Z"})"});
  }
  std::string any_document(bool with_id) {
    std::string text = "{";
    if (with_id || below(8) == 0) text += "\"id\":" + json::quoted(any_id());
    for (const std::string_view name : {"name", "vm", "x", "_bad"}) {
      if (below(name == "_bad" ? 20 : 3) > 0) continue;
      text += (text.size() > 1 ? "," : "") + json::quoted(name) + ":" + random_.value(2);
    }
    return text + "}";
  }
  std::string any_documents() {
    std::string text = "[";
    for (std::size_t n = below(4); n > 0; --n) text += any_document(true) + (n > 1 ? "," : "");
    return text + "]";
  }

  // What an answer says, in the words of JSON-RPC.
  static std::string shown(const Answer& answer) {
    if (const auto* result = std::get_if<std::string>(&answer)) return *result;
    const auto& error = std::get<events::RpcError>(answer);
    // Only over HTTP is it said in which header credentials belong.
    if (error.code == 401) return "401";
    return std::to_string(error.code) + error.data;
  }
  static std::string shown(const Asked& asked, const rest::Response& answer) {
    if (answer.status == 401) return "401";
    if (answer.status >= 400) return std::to_string(answer.status) + answer.body;
    std::string text = "{\"revision\":" + header_of(answer, "Doctor-Revision");
    if (asked.member.empty() && !answer.body.empty()) {
      text = answer.body.substr(0, answer.body.size() - 1);
    }
    if (!asked.member.empty()) {
      text += ",\"" + std::string(asked.member) + "\":" + std::string(answer.octets());
    }
    const auto add = [&](std::string_view name, std::string_view header) {
      if (const std::string value = header_of(answer, header); value != "(none)") {
        text += "," + json::quoted(name) + ":" + (name == "total" ? value : json::quoted(value));
      }
    };
    add("total", "Doctor-Total-Count");
    add("next", "Doctor-Next");
    if (!header_of(answer, "ETag").starts_with("W/")) add("etag", "ETag");
    return text + "}";
  }
  // Without what is of one store alone: its id, and the random octets of its cursors.
  static std::string neutral(std::string text, const rest::World& world) {
    for (auto at = text.find(world.store->identity().id); at != std::string::npos;
         at = text.find(world.store->identity().id)) {
      text.replace(at, 8, "S");
    }
    if (const auto at = text.find(",\"next\":\""); at != std::string::npos) {
      text.erase(at + 9, text.find('"', at + 9) - at - 9);
    }
    return text;
  }

  json::RandomJson random_;
  rest::World http_{{.secret = "s"}};
  World rpc_{rest::WorldSetup{.secret = "s"}};
  std::map<int, int> outcomes_;
};

TEST(JsonRpc, SaysWhatHttpSaysToAnyRequests) {
  const std::uint64_t first = json::test_seed();
  std::map<int, int> outcomes;
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(json::test_runs(4));
       ++seed) {
    SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
    SameAnswers both(seed);
    for (int i = 0; i < 1'000 && !::testing::Test::HasFailure(); ++i) both.step();
    for (const auto& [status, count] : both.outcomes()) outcomes[status] += count;
  }
  for (const int status : {200, 201, 204, 400, 401, 404, 412, 503}) {
    EXPECT_GT(outcomes[status], 0) << status;
  }
}

}  // namespace
}  // namespace doctor::rpc
