#include <algorithm>

#include "doctor/base/crypto.hpp"
#include "doctor/rest/credentials.hpp"
#include "doctor/rest/world.hpp"

namespace doctor::rest {
namespace {

const World::Headers as_connector{{"SECRET", "open sesame"}};
constexpr std::string_view alice = "alice-0123456789abcdef";
const World::Headers as_alice{{"SESSION", std::string(alice)}};

// Secured. alice may read the VM 1 and all clusters; root everything; nobody nothing.
class Secured : public ::testing::Test {
 protected:
  Secured() : doctor({.secret = "open sesame"}) {
    write("/entities/vm", R"([{"id":"1","cluster":"c1"},{"id":"2","cluster":"c1"}])");
    write("/entities/cluster", R"([{"id":"c1"}])");
    write("/sessions", R"([{"id":")" + std::string(alice) +
                           R"(","permissions":{"vm":"1","cluster":"*"}},)"
                           R"({"id":"root-0123456789abcdef","permissions":"*"},)"
                           R"({"id":"nobody-0123456789abcd"}])");
  }

  void write(std::string_view target, std::string_view body) {
    const auto answer = doctor.send("POST", target, as_connector, body);
    ASSERT_LE(answer.status, 201) << answer.body;
  }
  int status(std::string_view method, std::string_view target, const World::Headers& headers,
             std::string_view body = "") {
    return doctor.send(method, target, headers, body).status;
  }

  World doctor;
};

TEST_F(Secured, WithoutCredentialsNothingIsReadOrWritten) {
  for (const auto target : {"/entities", "/entities/vm", "/entities/vm/1", "/sessions", "/export",
                            "/entities/vm/1/x", "/metrics"}) {
    const auto answer = doctor.get(target);
    EXPECT_EQ(answer.status, 401) << target;
    EXPECT_NE(header_of(answer, "WWW-Authenticate"), "(none)") << target;
    EXPECT_EQ(header_of(answer, "Doctor-Revision"), "(none)") << target;
    EXPECT_FALSE(doctor.failed_login) << target;
  }
  EXPECT_EQ(status("PUT", "/entities/vm/1", {}, "{}"), 401);
  EXPECT_EQ(status("POST", "/query/vm", {}, "{}"), 401);
  EXPECT_EQ(status("BREW", "/entities/vm", {}, "{}"), 401);
}

TEST_F(Secured, HealthAndDescriptionArePublic) {
  for (const auto target : {"/", "/openapi.json", "/healthz", "/readyz"}) {
    EXPECT_EQ(doctor.get(target).status, 200) << target;
  }
  EXPECT_EQ(doctor.get("/none").status, 404);
}

TEST_F(Secured, AWrongSecretIsAFailedLoginWhateverElseIsSent) {
  EXPECT_EQ(status("GET", "/entities/vm", {{"SECRET", "wrong"}, {"SESSION", std::string(alice)}}),
            401);
  EXPECT_TRUE(doctor.failed_login);
  EXPECT_EQ(status("GET", "/entities/vm", {{"SECRET", ""}}), 401);
  EXPECT_TRUE(doctor.failed_login);
  EXPECT_EQ(status("GET", "/entities/vm", {{"SECRET", "open sesame"}, {"SECRET", "open sesame"}}),
            401);
}

TEST_F(Secured, AnUnknownSessionIsAFailedLogin) {
  EXPECT_EQ(status("GET", "/entities/vm", {{"SESSION", "guess"}}), 401);
  EXPECT_TRUE(doctor.failed_login);
  EXPECT_EQ(status("GET", "/entities/vm", {{"Authorization", "Bearer guess"}}), 401);
  EXPECT_TRUE(doctor.failed_login);
}

TEST_F(Secured, ASessionReadsWhatItMay) {
  EXPECT_EQ(doctor.get("/entities/vm", as_alice).body, R"([{"id":"1","cluster":"c1"}])");
  EXPECT_EQ(doctor.get("/entities", as_alice).body,
            R"([{"name":"cluster","count":1},{"name":"vm","count":1}])");
  EXPECT_EQ(doctor.get("/entities/vm/1", as_alice).status, 200);
  EXPECT_EQ(doctor.send("POST", "/query/cluster/c1", as_alice, R"({"select":"@[vm].id"})").body,
            R"({"@[vm].id":["1"]})");
}

TEST_F(Secured, AForbiddenDocumentIsLikeAnAbsentOne) {
  auto forbidden = doctor.get("/entities/vm/2", as_alice);
  auto absent = doctor.get("/entities/vm/3", as_alice);
  std::replace(absent.body.begin(), absent.body.end(), '3', '2');
  EXPECT_EQ(forbidden.status, 404);
  EXPECT_EQ(forbidden.body, absent.body);
  EXPECT_EQ(forbidden.headers, absent.headers);
  const World::Headers conditional{
      {"SESSION", std::string(alice)}, {"If-None-Match", "*"}, {"If-Match", "\"x\""}};
  EXPECT_EQ(doctor.get("/entities/vm/2", conditional).status, 404);
}

TEST_F(Secured, ATagTellsNothingOfForbiddenDocuments) {
  const std::string tag = header_of(doctor.get("/entities/vm", as_alice), "ETag");
  write("/entities/vm", R"({"id":"2","name":"changed"})");
  EXPECT_EQ(header_of(doctor.get("/entities/vm", as_alice), "ETag"), tag);
  write("/entities/vm", R"({"id":"1","name":"changed"})");
  EXPECT_NE(header_of(doctor.get("/entities/vm", as_alice), "ETag"), tag);
}

TEST_F(Secured, ABearerTokenIsASessionAndNeverTheSecret) {
  EXPECT_EQ(doctor.get("/entities/vm", {{"Authorization", "bearer " + std::string(alice)}}).status,
            200);
  EXPECT_EQ(doctor.get("/entities/vm", {{"Authorization", "Bearer open sesame"}}).status, 401);
  EXPECT_EQ(doctor.get("/entities/vm", {{"Authorization", "Basic open sesame"}}).status, 401);
  EXPECT_FALSE(doctor.failed_login);
}

TEST_F(Secured, TheHeaderSessionWinsOverBearer) {
  EXPECT_EQ(doctor
                .get("/entities/vm",
                     {{"Authorization", "Bearer nonsense"}, {"SESSION", std::string(alice)}})
                .status,
            200);
}

TEST_F(Secured, TheSecretWithASessionReadsAsThatSession) {
  const World::Headers both{{"SECRET", "open sesame"}, {"SESSION", std::string(alice)}};
  EXPECT_EQ(doctor.get("/entities/vm", both).body, R"([{"id":"1","cluster":"c1"}])");
  const World::Headers unknown{{"SECRET", "open sesame"}, {"SESSION", "unknown"}};
  EXPECT_EQ(doctor.get("/entities/vm", unknown).status, 401);
  EXPECT_TRUE(doctor.failed_login);
  EXPECT_EQ(status("PUT", "/entities/vm/9", unknown, "{}"), 201);
  EXPECT_EQ(status("PUT", "/entities/vm/9", both, "{}"), 200);
}

TEST_F(Secured, ASessionWritesNothingAndSeesNoSessions) {
  EXPECT_EQ(status("PUT", "/entities/vm/1", as_alice, "{}"), 401);
  EXPECT_FALSE(doctor.failed_login);
  EXPECT_EQ(status("GET", "/sessions", as_alice), 401);
  EXPECT_EQ(status("GET", "/export", as_alice), 401);
  EXPECT_EQ(status("GET", "/entities/$sessions", as_alice), 400);
}

TEST_F(Secured, WithoutPermissionsASessionReadsNothing) {
  const World::Headers as_nobody{{"SESSION", "nobody-0123456789abcd"}};
  EXPECT_EQ(doctor.get("/entities", as_nobody).body, "[]");
  EXPECT_EQ(doctor.get("/entities/vm", as_nobody).body, "[]");
}

TEST_F(Secured, MetricsTakeTheSecretAsBearer) {
  EXPECT_EQ(doctor.get("/metrics", as_connector).body, "metrics");
  EXPECT_EQ(doctor.get("/metrics", {{"Authorization", "Bearer open sesame"}}).body, "metrics");
  EXPECT_EQ(doctor.get("/metrics", {{"Authorization", "Bearer wrong"}}).status, 401);
  EXPECT_TRUE(doctor.failed_login);
}

TEST_F(Secured, SessionsAreReadAndWrittenLikeACollection) {
  const auto list = doctor.get("/sessions", as_connector);
  EXPECT_EQ(list.status, 200);
  EXPECT_EQ(std::count(list.body.begin(), list.body.end(), '{'), 4);
  EXPECT_EQ(header_of(list, "Cache-Control"), "no-store");
  EXPECT_EQ(header_of(list, "Doctor-Revision"), "3");
  EXPECT_EQ(header_of(list, "Vary"), "SECRET, SESSION, Authorization, Accept-Encoding");

  const auto created =
      doctor.send("POST", "/sessions", as_connector, R"({"id":"new-0123456789abcdef","user":"x"})");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(header_of(created, "Location"), "/sessions/new-0123456789abcdef");
  EXPECT_EQ(created.body,
            R"({"revision":4,"created":["new-0123456789abcdef"],"updated":{},"removed":[],)"
            R"("unchanged":0})");
  EXPECT_EQ(doctor.get("/sessions/new-0123456789abcdef", as_connector).body,
            R"({"id":"new-0123456789abcdef","user":"x"})");
  EXPECT_EQ(
      status("PATCH", "/sessions/new-0123456789abcdef", as_connector, R"({"permissions":"*"})"),
      200);
  EXPECT_EQ(doctor.get("/entities/vm/2", {{"SESSION", "new-0123456789abcdef"}}).status, 200);
  EXPECT_EQ(status("DELETE", "/sessions/new-0123456789abcdef", as_connector), 204);
  EXPECT_EQ(doctor.get("/entities/vm/2", {{"SESSION", "new-0123456789abcdef"}}).status, 401);

  EXPECT_EQ(status("PUT", "/sessions", as_connector, R"([{"id":"only-0123456789abcdef"}])"), 200);
  EXPECT_EQ(doctor.get("/entities/vm", as_alice).status, 401);
  EXPECT_EQ(status("DELETE", "/sessions", as_connector), 204);
  EXPECT_EQ(doctor.get("/sessions", as_connector).body, "[]");
}

TEST_F(Secured, SessionsAreNeverAmongTheCollections) {
  EXPECT_EQ(doctor.get("/entities", as_connector).body,
            R"([{"name":"cluster","count":1},{"name":"vm","count":2}])");
  EXPECT_EQ(doctor.get("/export", as_connector).body.find("alice"), std::string::npos);
}

TEST_F(Secured, SessionsAreReachedByNoQueryOfDocuments) {
  write("/entities/vm", R"({"id":"9","owner":")" + std::string(alice) + "\"}");
  for (const auto query :
       {R"({"select":"@$sessions.id"})", R"({"select":"@owner:$sessions.id"})",
        R"({"select":"@[$sessions].id"})", R"({"select":"@[$sessions:vm].id"})",
        R"({"select":{"ref":"owner","collection":"$sessions"}})",
        R"({"select":{"many_ref":"$sessions"}})", R"({"where":{"@owner:$sessions.id":"*"}})",
        R"({"where":{"@[$sessions].id":"*"}})", R"({"orderBy":"@owner:$sessions.id"})"}) {
    const auto answer = doctor.send("POST", "/query/vm", as_connector, query);
    EXPECT_EQ(answer.status, 400) << query << "\n" << answer.body;
  }
  EXPECT_EQ(status("POST", "/query/$sessions", as_connector, ""), 400);
  EXPECT_EQ(status("POST", "/query/%24sessions", as_connector, ""), 400);
}

TEST_F(Secured, AnExpiredSessionIsUnknownAndUnlisted) {
  write("/sessions", R"({"id":"short-0123456789abcd","expires":"2023-11-14T22:13:30Z"})");
  const World::Headers as_short{{"SESSION", "short-0123456789abcd"}};
  EXPECT_EQ(doctor.get("/entities", as_short).status, 200);
  EXPECT_NE(doctor.get("/sessions", as_connector).body.find("short"), std::string::npos);
  const std::string tag = header_of(doctor.get("/sessions", as_connector), "ETag");

  doctor.now.value += 10'000;
  EXPECT_EQ(doctor.get("/entities", as_short).status, 401);
  EXPECT_TRUE(doctor.failed_login);
  EXPECT_EQ(doctor.get("/sessions", as_connector).body.find("short"), std::string::npos);
  EXPECT_EQ(doctor.get("/sessions/short-0123456789abcd", as_connector).status, 404);
  World::Headers conditional = as_connector;
  conditional.emplace_back("If-None-Match", tag);
  EXPECT_EQ(doctor.get("/sessions", conditional).status, 200);
}

// The place of the next page counts them; its part of the tag depends on the store's own key, so
// that nobody can find it by trying.
TEST(Pages, OfASessionHaveATagThatNobodyCanCompute) {
  const auto tag_of_first_page = [] {
    World doctor;
    doctor.send("POST", "/entities/vm", {}, R"([{"id":"1"},{"id":"2"},{"id":"3"}])");
    doctor.send("PUT", "/sessions/s", {}, R"({"permissions":{"vm":[2,3]}})");
    const World::Headers as_session{{"SESSION", "s"}};
    const auto page = doctor.get(R"(/entities/vm?q={"limit":1})", as_session);
    EXPECT_EQ(page.body, R"([{"id":"2"}])");
    const std::string tag = header_of(page, "ETag");
    EXPECT_EQ(header_of(doctor.get(R"(/entities/vm?q={"limit":1})", as_session), "ETag"), tag);
    return tag;
  };
  EXPECT_NE(tag_of_first_page(), tag_of_first_page());
}

TEST_F(Secured, AnErrorShowsASessionOnlyByItsFingerprint) {
  const auto answer = doctor.send("POST", "/sessions", as_connector,
                                  R"([{"id":"secret-0123456789abc","permissions":7}])");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body.find("secret-0123456789abc"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find(fingerprint("secret-0123456789abc")), std::string::npos)
      << answer.body;
  const auto missing = doctor.get("/sessions/missing-0123456789ab", as_connector);
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body.find("missing-"), std::string::npos);
  EXPECT_EQ(missing.route, "/sessions/{id}");
}

TEST_F(Secured, AnImpossibleSessionIdInAPathIs400) {
  EXPECT_EQ(status("GET", "/sessions/a%20b", as_connector), 400);
  EXPECT_EQ(status("DELETE", "/sessions/%C3%A9", as_connector), 400);
}

TEST(Unsecured, EverythingIsPublicAndTheSecretIsNotLookedAt) {
  World doctor;
  EXPECT_EQ(doctor.send("PUT", "/entities/vm/1", {}, "{}").status, 201);
  EXPECT_EQ(doctor.get("/entities/vm/1", {{"SECRET", "anything"}}).status, 200);
  EXPECT_EQ(doctor.get("/sessions").status, 200);
  EXPECT_EQ(doctor.get("/metrics").body, "metrics");
}

TEST(Unsecured, AKnownSessionNarrowsTheViewAndAnUnknownOneIs401) {
  World doctor;
  doctor.send("PUT", "/entities/vm/1", {}, "{}");
  doctor.send("PUT", "/entities/vm/2", {}, "{}");
  doctor.send("PUT", "/sessions/s", {}, R"({"permissions":{"vm":"1"}})");
  EXPECT_EQ(doctor.get("/entities/vm", {{"SESSION", "s"}}).body, R"([{"id":"1"}])");
  EXPECT_EQ(doctor.get("/entities/vm", {{"SESSION", "t"}}).status, 401);
  EXPECT_TRUE(doctor.failed_login);
}

TEST(Unsecured, OnlyKnownHostsAreAnswered) {
  World doctor({.options = {.allowed_hosts = {"doctor.example"}}});
  EXPECT_EQ(doctor.get("/entities", {{"Host", "127.0.0.1:3000"}}).status, 200);
  EXPECT_EQ(doctor.get("/entities", {{"Host", "doctor.example:3000"}}).status, 200);
  const auto refused = doctor.get("/entities", {{"Host", "evil.example"}});
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("allowed_hosts"), std::string::npos);
  EXPECT_EQ(doctor.get("http://evil.example/entities").status, 403);
  EXPECT_EQ(doctor.get("/healthz", {{"Host", "evil.example"}}).status, 403);

  World secured({.secret = "s"});
  EXPECT_EQ(secured.get("/entities", {{"Host", "any.example"}, {"SECRET", "s"}}).status, 200);
}

}  // namespace
}  // namespace doctor::rest
