#include "doctor/rpc/service.hpp"

#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"
#include "doctor/rpc/world.hpp"

namespace doctor::rpc {
namespace {

TEST(OwnMethods, PingIsTrueAndEchoIsTheText) {
  World doctor;
  EXPECT_EQ(doctor.result("Doctor.ping"), "true");
  EXPECT_EQ(doctor.result("Host.ping", "{}"), "true");
  EXPECT_EQ(doctor.result("Host.ping", "[]"), "true");
  EXPECT_EQ(doctor.result("Doctor.echo", R"({"text":"a\u0000\"b"})"), R"("a\u0000\"b")");
  EXPECT_EQ(doctor.result("echo", R"({"text":""})"), R"("")");
}

TEST(OwnMethods, InfoTellsVersionAndRevision) {
  World doctor;
  doctor.call("Entity.put", R"({"collection":"vm","id":"1","document":{}})");
  EXPECT_EQ(doctor.result("Doctor.info"), R"({"name":"Doctor","version":"1.2.3","revision":1})");
}

TEST(OwnMethods, TheListOfMethodsIsJsonAndHasEachWithItsParameters) {
  World doctor;
  const std::string list = doctor.result("rpc.methods");
  EXPECT_EQ(json::compact(list, 10).value(), list);
  for (const Method& method : methods()) {
    EXPECT_NE(list.find("{\"name\":\"" + std::string(method.name) + "\""), std::string::npos);
  }
  EXPECT_NE(list.find(R"({"name":"id","type":["string","integer"],"required":true,)"),
            std::string::npos);
}

TEST(Parameters, ThatAreUnknownMissingOrOfAnotherTypeAreErrorsThatNameThem) {
  World doctor;
  EXPECT_EQ(doctor.result("Entity.get", R"({"collection":"vm"})"),
            "-32602 the parameter id is missing; Entity.get takes collection, id, query, "
            "min_revision");
  EXPECT_EQ(
      doctor.result("Entity.delete", R"({"collection":"vm","id":"1","secret":"s"})"),
      "-32602 there is no parameter \"secret\"; Entity.delete takes collection, id, if_match");
  EXPECT_EQ(doctor.result("Entity.get", R"({"collection":"vm","id":1.5})"),
            "-32602 id must be a string or an integer");
  EXPECT_EQ(doctor.result("Entity.list", R"({"collection":7})"),
            "-32602 collection must be a string");
  EXPECT_EQ(doctor.result("Entity.list", R"({"collection":"vm","min_revision":-1})"),
            "-32602 min_revision must be a revision's number");
  EXPECT_EQ(doctor.result("Doctor.ping", R"({"x":1})"),
            "-32602 there is no parameter \"x\"; Doctor.ping takes no parameters");
  const Answer answer = doctor.call("Entity.get", R"({"collection":"vm"})");
  EXPECT_EQ(std::get<events::RpcError>(answer).data, R"({"field":"id"})");
}

TEST(Parameters, AreGivenByName) {
  World doctor;
  EXPECT_EQ(doctor.code("Entity.get", R"(["vm","1"])"), -32602);
  EXPECT_EQ(doctor.code("Entity.list", "[]"), -32602);  // its collection is missing
  EXPECT_EQ(doctor.code("Entity.list", R"({"coll\u0065ction":"vm"})"), 0);
}

TEST(Methods, ThatDoNotExistAreMethodNotFound) {
  World doctor;
  EXPECT_EQ(doctor.code("Entity.drop"), -32601);
  EXPECT_EQ(doctor.code("doctor.ping"), -32601);
  EXPECT_EQ(doctor.code(""), -32601);
}

class Entities : public ::testing::Test {
 protected:
  Entities() {
    doctor.call("Entity.create",
                R"({"collection":"vm","document":[{"id":"1","a":1},{"id":2},{"id":"3"}]})");
  }
  World doctor;
};

TEST_F(Entities, AreListedAtARevision) {
  EXPECT_EQ(doctor.result("Entity.list", R"({"collection":"vm"})"),
            R"({"revision":1,"documents":[{"id":"1","a":1},{"id":"2"},{"id":"3"}]})");
  EXPECT_EQ(doctor.result("Entity.list", R"({"collection":"none"})"),
            R"({"revision":1,"documents":[]})");
  EXPECT_EQ(doctor.result("Collection.list"),
            R"({"revision":1,"collections":[{"name":"vm","count":3}]})");
}

TEST_F(Entities, AreQueriedWithTheirCountAndTheCursorOfTheNextPage) {
  const std::string page = doctor.result(
      "Entity.list", R"({"collection":"vm","query":{"select":"id","limit":2,"count":true}})");
  const std::string begin =
      R"({"revision":1,"documents":[{"id":"1"},{"id":"2"}],"total":3,"next":")";
  ASSERT_TRUE(page.starts_with(begin)) << page;
  const std::string cursor = page.substr(begin.size(), page.size() - begin.size() - 2);
  EXPECT_EQ(doctor.result("Entity.list",
                          R"({"collection":"vm","query":{"select":"id","limit":2,"count":true,)"
                          R"("after":")" +
                              cursor + "\"}}"),
            R"({"revision":1,"documents":[{"id":"3"}],"total":3})");
  EXPECT_EQ(doctor.code("Entity.list", R"({"collection":"vm","query":null})"), 0);
}

TEST_F(Entities, AreReadAloneWithTheirEtag) {
  EXPECT_EQ(doctor.result("Entity.get", R"({"collection":"vm","id":1})"),
            R"({"revision":1,"document":{"id":"1","a":1},"etag":")" + doctor.tag("1") + "\"}");
  EXPECT_EQ(doctor.result("Entity.get", R"({"collection":"vm","id":"1","query":{"select":"a"}})"),
            R"({"revision":1,"document":{"a":1}})");
}

TEST_F(Entities, AreCreatedPutAndRemoved) {
  const std::string etag = R"(,"etag":")" + doctor.tag("2") + "\"}";
  EXPECT_EQ(doctor.result("Entity.create", R"({"collection":"vm","document":{"id":"4"}})"),
            R"({"revision":2,"created":["4"],"updated":{},"removed":[],"unchanged":0)" + etag);
  EXPECT_EQ(doctor.result("Entity.put",
                          R"({"collection":"vm","id":"4","document":{"x":1},"minimal":true})"),
            R"({"revision":3,"etag":")" + doctor.tag("3") + "\"}");
  EXPECT_EQ(doctor.result("Entity.delete", R"({"collection":"vm","id":4})"), R"({"revision":4})");
  EXPECT_EQ(doctor.code("Entity.delete", R"({"collection":"vm","id":4})"), 404);
  EXPECT_EQ(doctor.result("Collection.replace", R"({"collection":"vm","documents":[{"id":"1"}]})"),
            R"({"revision":5,"created":[],"updated":{"1":["a"]},"removed":["2","3"],)"
            R"("unchanged":0})");
  EXPECT_EQ(doctor.result("Collection.delete", R"({"collection":"vm"})"), R"({"revision":6})");
  EXPECT_EQ(doctor.result("Collection.list"), R"({"revision":6,"collections":[]})");
}

TEST_F(Entities, WithoutAnIdAreNeverAllOfThem) {
  EXPECT_EQ(doctor.code("Entity.delete", R"({"collection":"vm","id":""})"), 400);
  EXPECT_EQ(doctor.code("Entity.get", R"({"collection":"vm","id":""})"), 400);
  EXPECT_EQ(doctor.code("Collection.delete", R"({"collection":""})"), 400);
  EXPECT_EQ(doctor.code("Entity.list", R"({"collection":"$sessions"})"), 400);
}

TEST_F(Entities, ArePatchedInThreeWays) {
  const auto patched = [&](std::string_view patch) {
    const std::string params = R"({"collection":"vm","id":"1",)" + std::string(patch) + "}";
    if (const auto code = doctor.code("Entity.patch", params)) return std::to_string(code);
    return doctor.result("Entity.get", R"({"collection":"vm","id":"1","query":{"select":"*"}})");
  };
  EXPECT_NE(patched(R"("patch":{"b":{"c":1,"d":2}})").find(R"({"id":"1","a":1,"b":{"c":1,"d":2}})"),
            std::string::npos);
  EXPECT_NE(patched(R"("patch":{"b":{"c":null}},"type":"merge-patch")").find(R"("b":{"d":2})"),
            std::string::npos);
  EXPECT_NE(patched(R"("patch":{"b":{"c":null}},"type":"fields")").find(R"("b":{"c":null})"),
            std::string::npos);
  EXPECT_NE(patched(R"("patch":[{"op":"remove","path":"/b"}],"type":"json-patch")")
                .find(R"({"id":"1","a":1})"),
            std::string::npos);
  EXPECT_EQ(patched(R"("patch":[{"op":"remove","path":"/b"}],"type":"json-patch")"), "409");
  EXPECT_EQ(patched(R"("patch":{},"type":"application/json")"), "-32602");
}

TEST_F(Entities, AreWrittenOnConditions) {
  const auto put = [&](std::string_view condition) {
    return doctor.code("Entity.put", R"({"collection":"vm","id":"1","document":{"a":2},)" +
                                         std::string(condition) + "}");
  };
  EXPECT_EQ(put(R"("if_match":")" + doctor.tag("9") + "\""), 412);
  EXPECT_EQ(put(R"("if_match":"nonsense")"), 400);
  EXPECT_EQ(put(R"("if_none_match":"*")"), 412);
  EXPECT_EQ(put(R"("if_match":")" + doctor.tag("1") + "\""), 0);
  EXPECT_EQ(doctor.code("Entity.create",
                        R"({"collection":"vm","document":{"id":"1"},"if_none_match":"*"})"),
            412);
}

TEST_F(Entities, ThatADoctorDoesNotYetHaveAre503) {
  EXPECT_EQ(doctor.code("Entity.list", R"({"collection":"vm","min_revision":1})"), 0);
  EXPECT_EQ(doctor.code("Entity.list", R"({"collection":"vm","min_revision":2})"), 503);
}

TEST_F(Entities, ThatAreWrongAreErrorsWithTheProblemDocument) {
  EXPECT_EQ(doctor.code("Entity.get", R"({"collection":"vm","id":"x\ny"})"), 400);
  const Answer answer =
      doctor.call("Entity.put", R"({"collection":"vm","id":"1","document":{"_x":1}})");
  const auto& error = std::get<events::RpcError>(answer);
  EXPECT_EQ(error.code, 400);
  EXPECT_EQ(error.data, doctor.http.send("PUT", "/entities/vm/1", {}, R"({"_x":1})").body);
  EXPECT_NE(error.data.find(json::quoted(error.message)), std::string::npos);
}

TEST(Answers413, AreOfReadsThatAreLongerThanAQuarterOfTheOutbox) {
  rest::WorldSetup setup;
  setup.limits.stomp_outbox_bytes = 4 * 100;
  World doctor(std::move(setup));
  const std::string long_text(101, 'x');
  EXPECT_EQ(doctor.code("Doctor.echo", R"({"text":")" + long_text + "\"}"), 413);
  EXPECT_EQ(doctor.code("Entity.put",
                        R"({"collection":"vm","id":"1","document":{"a":")" + long_text + "\"}}"),
            0);
  for (const std::string_view method : {"Entity.get", "Entity.list"}) {
    const std::string params =
        method == "Entity.get" ? R"({"collection":"vm","id":"1"})" : R"({"collection":"vm"})";
    const std::string answer = doctor.result(method, params);
    EXPECT_TRUE(answer.starts_with("413 ")) << answer;
    EXPECT_NE(answer.find("use limit"), std::string::npos) << answer;
  }
  EXPECT_EQ(doctor.code("Entity.list", R"({"collection":"vm","query":{"select":"id"}})"), 0);
}

TEST(Answers413, AreNeverOfWritesWhichTellTheRevisionAlone) {
  rest::WorldSetup setup;
  setup.limits.stomp_outbox_bytes = 4 * 100;
  World doctor(std::move(setup));
  std::string documents;
  for (int i = 100; i < 150; ++i) {
    documents += (documents.empty() ? "{\"id\":" : ",{\"id\":") + std::to_string(i) + "}";
  }
  EXPECT_EQ(
      doctor.result("Collection.replace", R"({"collection":"vm","documents":[)" + documents + "]}"),
      R"({"revision":1})");
}

class Secured : public ::testing::Test {
 protected:
  Secured() {
    doctor.call("Session.put", R"({"id":"alice","session":{"permissions":{"vm":"1"}}})",
                connector());
    doctor.call("Entity.create", R"({"collection":"vm","document":[{"id":"1"},{"id":"2"}]})",
                connector());
  }
  World doctor{rest::WorldSetup{.secret = "s"}};
};

TEST_F(Secured, ASessionSeesWhatItMay) {
  EXPECT_EQ(doctor.result("Entity.list", R"({"collection":"vm"})", session("alice")),
            R"({"revision":2,"documents":[{"id":"1"}]})");
  const std::string forbidden =
      doctor.result("Entity.get", R"({"collection":"vm","id":"2"})", session("alice"));
  EXPECT_EQ(forbidden, "404 there is no document \"2\" in the collection vm");
  EXPECT_EQ(doctor.result("Collection.list", "", session("alice")),
            R"({"revision":2,"collections":[{"name":"vm","count":1}]})");
  EXPECT_EQ(doctor.result("Doctor.ping", "", session("alice")), "true");
}

TEST_F(Secured, ASessionOnlyReadsDocuments) {
  for (const std::string_view method :
       {"Entity.put", "Entity.patch", "Entity.delete", "Entity.create", "Collection.replace",
        "Collection.delete", "Session.list", "Session.get", "Session.put", "Session.patch",
        "Session.delete"}) {
    std::string params;
    for (const Parameter& parameter : find_method(method)->parameters) {
      if (!parameter.required) continue;
      params +=
          (params.empty() ? "{" : ",") + json::quoted(parameter.name) + ":" +
          (parameter.kind == Kind::array                                               ? "[]"
           : parameter.kind == Kind::object || parameter.kind == Kind::object_or_array ? "{}"
                                                                                       : "\"1\"");
    }
    params += params.empty() ? "" : "}";
    EXPECT_EQ(doctor.code(method, params, session("alice")), 401) << method;
  }
  EXPECT_EQ(doctor.result("Doctor.info", "", connector()),
            R"({"name":"Doctor","version":"1.2.3","revision":2})");
}

TEST_F(Secured, ASessionThatIsGoneOrHasExpiredReadsNothing) {
  doctor.call("Session.put",
              R"({"id":"bob","session":{"permissions":"*","expires":"2024-01-01T00:00:00Z"}})",
              connector());
  EXPECT_EQ(doctor.code("Entity.list", R"({"collection":"vm"})", session("bob")), 0);
  doctor.http.now = Timestamp{1'800'000'000'000};
  EXPECT_EQ(doctor.code("Entity.list", R"({"collection":"vm"})", session("bob")), 401);
  doctor.call("Session.delete", R"({"id":"alice"})", connector());
  EXPECT_EQ(doctor.code("Entity.list", R"({"collection":"vm"})", session("alice")), 401);
}

TEST_F(Secured, ASessionsRightsAreThoseOfTheSnapshotThatIsRead) {
  const events::RpcRequest request{"1", "Entity.list", R"({"collection":"vm"})"};
  auto plan = doctor.service.plan(request, session("alice"), 1'000, *doctor.http.store->snapshot(),
                                  doctor.http.now);
  ASSERT_TRUE(std::holds_alternative<Read>(plan));
  doctor.call("Session.patch", R"({"id":"alice","patch":{"permissions":{"vm":"2"}}})", connector());
  const Answer answer = doctor.service.read(std::get<Read>(plan).call,
                                            *doctor.http.store->snapshot(), doctor.http.now);
  EXPECT_EQ(std::get<std::string>(answer), R"({"revision":3,"documents":[{"id":"2"}]})");
}

TEST_F(Secured, NoParameterIsACredential) {
  for (const std::string_view name : {"secret", "SECRET", "session", "Authorization", "headers"}) {
    EXPECT_EQ(doctor.code("Entity.list", R"({"collection":"vm",)" + json::quoted(name) + R"(:"s"})",
                          anyone()),
              -32602);
  }
  EXPECT_EQ(doctor.code("Entity.list", R"({"collection":"vm"})", anyone()), 401);
}

TEST_F(Secured, SessionsAreOfTheConnector) {
  EXPECT_EQ(doctor.result("Session.list", "", connector()),
            R"({"revision":2,"sessions":[{"id":"alice","permissions":{"vm":"1"}}]})");
  EXPECT_EQ(doctor.result("Session.get", R"({"id":"alice","query":{"select":"id"}})", connector()),
            R"({"revision":2,"session":{"id":"alice"}})");
  EXPECT_EQ(doctor.code("Session.put", R"({"id":"b","session":{"permissions":7}})", connector()),
            400);
}

}  // namespace
}  // namespace doctor::rpc
