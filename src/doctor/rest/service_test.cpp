#include "doctor/rest/service.hpp"

#include "doctor/json/scanner.hpp"
#include "doctor/rest/pages.hpp"
#include "doctor/rest/route.hpp"
#include "doctor/rest/world.hpp"

namespace doctor::rest {
namespace {

const std::string app = "https://app.example";

WorldSetup with_origins(std::vector<std::string> origins) {
  return {.options = {.cors_origins = std::move(origins)}};
}

TEST(Cors, AForeignOriginIs403BeforeAnythingElse) {
  World doctor({.secret = "s"});
  for (const auto method : {"GET", "POST", "OPTIONS", "BREW"}) {
    const auto answer = doctor.send(method, "/entities/v!", {{"Origin", app}});
    EXPECT_EQ(answer.status, 403) << method;
    EXPECT_NE(answer.body.find("cors_origins"), std::string::npos);
  }
}

TEST(Cors, AConfiguredOriginMaySeeTheAnswerAndItsHeaders) {
  World doctor(with_origins({app}));
  for (const auto target : {"/entities", "/entities/vm/1", "/none"}) {
    const auto answer = doctor.get(target, {{"Origin", app}});
    EXPECT_EQ(header_of(answer, "Access-Control-Allow-Origin"), app) << target;
    EXPECT_NE(answer.headers.find("Vary: Origin\r\n"), std::string::npos);
    EXPECT_EQ(header_of(answer, "Access-Control-Expose-Headers"),
              "Doctor-Revision, Doctor-Total-Count, Doctor-Next, ETag, Link, Location, "
              "Retry-After, Preference-Applied, Server-Timing");
  }
  EXPECT_EQ(header_of(doctor.get("/entities"), "Access-Control-Allow-Origin"), "(none)");
  World any(with_origins({"*"}));
  EXPECT_EQ(header_of(any.get("/entities", {{"Origin", app}}), "Access-Control-Allow-Origin"), "*");
}

TEST(Cors, APreflightIsAnsweredWithoutCredentials) {
  WorldSetup setup = with_origins({app});
  setup.secret = "s";
  World doctor(std::move(setup));
  const auto answer = doctor.send("OPTIONS", "/entities/vm/1",
                                  {{"Origin", app}, {"Access-Control-Request-Method", "PATCH"}});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(header_of(answer, "Access-Control-Allow-Origin"), app);
  EXPECT_EQ(header_of(answer, "Access-Control-Allow-Methods"),
            "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(header_of(answer, "Access-Control-Allow-Headers"),
            "SESSION, SECRET, Authorization, Content-Type, If-Match, If-None-Match, Prefer, "
            "Doctor-Min-Revision");
}

TEST(Options, NameTheMethodsAndTheKindsOfPatch) {
  World doctor({.secret = "s"});
  const auto answer = doctor.send("OPTIONS", "/entities/vm/1");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(header_of(answer, "Allow"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(header_of(answer, "Accept-Patch"),
            "application/json, application/merge-patch+json, application/json-patch+json");
  EXPECT_EQ(header_of(doctor.send("OPTIONS", "/query/vm"), "Allow"), "POST, OPTIONS");
  EXPECT_EQ(doctor.send("OPTIONS", "*").status, 204);
  EXPECT_EQ(doctor.send("OPTIONS", "/none").status, 404);
}

TEST(Upgrade, IsRefusedToAForeignOriginOrHost) {
  World doctor;
  const auto refused = [&](std::string_view host, std::string_view origin) {
    const Header headers[] = {{"Host", host}, {"Origin", origin}};
    return doctor.service->refuse_upgrade({"GET", "/mqtt", headers, "127.0.0.1"});
  };
  EXPECT_FALSE(refused("localhost:3000", "http://localhost:3000"));
  ASSERT_TRUE(refused("localhost:3000", app));
  EXPECT_EQ(refused("localhost:3000", app)->status, 403);
  EXPECT_TRUE(refused("evil.example", "http://evil.example"));
}

TEST(Pages, TheRootSaysWhatThisIs) {
  World doctor({.options = {.version = "1.2.3"}});
  const auto answer = doctor.get("/");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body.starts_with(R"({"name":"Doctor","version":"1.2.3",)")) << answer.body;
  EXPECT_TRUE(json::compact(answer.body, 8));
}

TEST(Pages, TheDescriptionIsJsonAndNamesEveryRoute) {
  World doctor;
  const auto answer = doctor.get("/openapi.json");
  ASSERT_EQ(answer.status, 200);
  ASSERT_TRUE(json::compact(answer.body, 64)) << json::compact(answer.body, 64).error().detail;
  for (int i = 0; i < static_cast<int>(Resource::unknown); ++i) {
    std::string name(route_name(static_cast<Resource>(i)));
    if (const auto at = name.find("{c}"); at != std::string::npos) {
      name.replace(at, 3, "{collection}");
    }
    EXPECT_NE(answer.body.find("\"" + name + "\": {"), std::string::npos) << name;
  }
}

TEST(Failures, AfterAdmissionCarryTheHeadersOfTheResource) {
  World doctor;
  const Header headers[] = {{"Host", "localhost"}};
  const RequestHead head{"PUT", "/entities/vm", headers, "127.0.0.1"};
  auto admission = doctor.service->admit(head, *doctor.store->snapshot(), doctor.now);
  ASSERT_TRUE(std::holds_alternative<Admitted>(admission));
  const auto& admitted = std::get<Admitted>(admission);
  EXPECT_TRUE(admitted.wants_body());
  EXPECT_EQ(admitted.route_name(), "/entities/{c}");
  const auto late = doctor.service->failed(admitted, error(Errc::timed_out, "too slow"));
  EXPECT_EQ(late.status, 408);
  EXPECT_EQ(header_of(late, "Doctor-Revision"), "0");
  EXPECT_EQ(header_of(late, "Cache-Control"), "private, no-cache");
  const auto large = doctor.service->body_too_large(admitted);
  EXPECT_EQ(large.status, 413);
  EXPECT_NE(large.body.find("request_body"), std::string::npos);
}

TEST(Bodies, OfReadsAreWantedOnlyWhereTheyAreTheQuery) {
  World doctor;
  const Header headers[] = {{"Host", "localhost"}};
  const auto wants = [&](std::string_view method, std::string_view target) {
    auto admission = doctor.service->admit({method, target, headers, "127.0.0.1"},
                                           *doctor.store->snapshot(), doctor.now);
    return std::get<Admitted>(admission).wants_body();
  };
  EXPECT_TRUE(wants("GET", "/entities/vm"));
  EXPECT_FALSE(wants("GET", "/entities/vm?q="));
  EXPECT_FALSE(wants("GET", "/entities"));
  EXPECT_FALSE(wants("DELETE", "/entities/vm/1"));
  EXPECT_TRUE(wants("POST", "/query/vm"));
}

}  // namespace
}  // namespace doctor::rest
