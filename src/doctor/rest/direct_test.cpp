#include "doctor/document/names.hpp"
#include "doctor/rest/direct_request.hpp"
#include "doctor/rest/world.hpp"

namespace doctor::rest {
namespace {

using document::Principal;

class Direct : public ::testing::Test {
 protected:
  Direct() {
    write("/sessions/alice", R"({"permissions":{"vm":"1"}})");
    write("/entities/vm", R"([{"id":"1"},{"id":"2","x":"y"}])", "POST");
  }
  void write(std::string_view target, std::string_view body, std::string_view method = "PUT") {
    ASSERT_EQ(doctor.send(method, target, {{"SECRET", "s"}}, body).status, 201);
  }
  static Principal session(std::string id) {
    auto session = std::make_shared<document::Session>();
    session->id = std::move(id);
    return {Principal::Kind::session, session};
  }
  static DirectRequest get(std::string id = "") {
    DirectRequest request;
    request.resource = id.empty() ? Resource::collection : Resource::document;
    request.collection = "vm";
    request.id = std::move(id);
    return request;
  }
  static DirectRequest put(std::string id) {
    DirectRequest request = get();
    request.method = Method::put;
    request.resource = Resource::document;
    request.id = std::move(id);
    return request;
  }

  World doctor{WorldSetup{.secret = "s"}};
  const Principal connector{Principal::Kind::connector, nullptr};
  const Principal anyone{Principal::Kind::anyone, nullptr};
};

TEST_F(Direct, RequestsAreAnsweredAsThoseOverHttp) {
  const Response direct = doctor.send(get("2"), connector);
  const Response http = doctor.get("/entities/vm/2", {{"SECRET", "s"}});
  EXPECT_EQ(direct.body, http.body);
  EXPECT_EQ(direct.headers, http.headers);
  EXPECT_EQ(doctor.send(put("3"), connector, R"({"a":1})").status, 201);
  EXPECT_EQ(doctor.get("/entities/vm/3", {{"SECRET", "s"}}).body, R"({"id":"3","a":1})");
}

TEST_F(Direct, RequestsOfASessionSeeWhatItMay) {
  EXPECT_EQ(doctor.send(get(), session("alice")).body, R"([{"id":"1"}])");
  EXPECT_EQ(doctor.send(get("2"), session("alice")).status, 404);
}

TEST_F(Direct, RequestsOfASessionAreJudgedByItsPermissionsOfTheSnapshotAndNotOfItsLogin) {
  auto stale = std::make_shared<document::Session>();
  stale->id = "alice";
  stale->permissions = document::Permissions::everything();
  EXPECT_EQ(doctor.send(get(), Principal{Principal::Kind::session, stale}).body, R"([{"id":"1"}])");
}

TEST_F(Direct, RequestsOfASessionThatIsGoneAre401) {
  EXPECT_EQ(doctor.send(get(), session("bob")).status, 401);
  doctor.send("DELETE", "/sessions/alice", {{"SECRET", "s"}});
  EXPECT_EQ(doctor.send(get(), session("alice")).status, 401);
}

TEST_F(Direct, RequestsOfASessionNeitherWriteNorSeeSessions) {
  EXPECT_EQ(doctor.send(put("1"), session("alice"), "{}").status, 401);
  DirectRequest sessions;
  sessions.resource = Resource::sessions;
  EXPECT_EQ(doctor.send(std::move(sessions), session("alice")).status, 401);
}

TEST_F(Direct, RequestsOfAnyoneAre401OnceThereIsASecret) {
  EXPECT_EQ(doctor.send(get(), anyone).status, 401);
  World open;
  EXPECT_EQ(open.send(get(), anyone).status, 200);
  EXPECT_EQ(open.send(put("1"), anyone, "{}").status, 201);
}

TEST_F(Direct, RequestsNameThingsAsTheyAre) {
  EXPECT_EQ(doctor.send(put("a/b%20?"), connector, "{}").status, 201);
  EXPECT_EQ(doctor.get("/entities/vm/a%2Fb%2520%3F", {{"SECRET", "s"}}).body,
            R"({"id":"a/b%20?"})");
}

TEST_F(Direct, RequestsWithoutANameAre400AndNeverOfAllDocuments) {
  DirectRequest remove = put("");
  remove.method = Method::delete_;
  EXPECT_EQ(doctor.send(std::move(remove), connector).status, 400);
  DirectRequest nowhere = get();
  nowhere.collection = "";
  EXPECT_EQ(doctor.send(std::move(nowhere), connector).status, 400);
  DirectRequest sessions = get();
  sessions.collection = document::sessions_collection;
  EXPECT_EQ(doctor.send(std::move(sessions), connector).status, 400);
}

TEST_F(Direct, ReadsWhoseAnswerIsLongerThanItsCarrierTakesAre413) {
  const std::size_t length = doctor.send(get(), connector).body.size();
  for (const std::string_view query : {"", R"({"where":{"id":{"$in":["1","2"]}}})"}) {
    DirectRequest enough = get();
    enough.answer_max = length;
    EXPECT_EQ(doctor.send(std::move(enough), connector, query).status, 200);
    DirectRequest less = get();
    less.answer_max = length - 1;
    EXPECT_EQ(doctor.send(std::move(less), connector, query).status, 413);
  }
  DirectRequest one = get("2");
  one.answer_max = 5;
  const Response refused = doctor.send(std::move(one), connector);
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("use limit"), std::string::npos) << refused.body;
}

}  // namespace
}  // namespace doctor::rest
