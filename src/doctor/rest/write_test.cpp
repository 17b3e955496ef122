#include <algorithm>

#include "doctor/rest/world.hpp"
#include "doctor/rest/write_answer.hpp"

namespace doctor::rest {
namespace {

class Writes : public ::testing::Test {
 protected:
  Response post(std::string_view target, std::string_view body, World::Headers headers = {}) {
    return doctor.send("POST", target, headers, body);
  }
  Response put(std::string_view target, std::string_view body, World::Headers headers = {}) {
    return doctor.send("PUT", target, headers, body);
  }
  Response patch(std::string_view target, std::string_view body, World::Headers headers = {}) {
    return doctor.send("PATCH", target, headers, body);
  }
  Response remove(std::string_view target, World::Headers headers = {}) {
    return doctor.send("DELETE", target, headers);
  }
  std::string tag(std::string_view revision) const {
    return "\"" + doctor.store->identity().id + "-" + std::string(revision) + "\"";
  }

  World doctor;
};

TEST_F(Writes, ByPostOfAnObjectCreateWithALocation) {
  const auto answer = post("/entities/vm", R"({"id":"a/b","name":"vm1"})");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body,
            R"({"revision":1,"created":["a/b"],"updated":{},"removed":[],"unchanged":0})");
  EXPECT_EQ(header_of(answer, "Location"), "/entities/vm/a%2Fb");
  EXPECT_EQ(header_of(answer, "Doctor-Revision"), "1");
  EXPECT_EQ(header_of(answer, "ETag"), tag("1"));
  EXPECT_EQ(header_of(answer, "Cache-Control"), "private, no-cache");
}

TEST_F(Writes, ByPostOfAnObjectReplace) {
  post("/entities/vm", R"({"id":1,"name":"vm1","status":"up"})");
  const auto answer = post("/entities/vm", R"({"id":"1","status":"down"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"revision":2,"created":[],"updated":{"1":["status","name"]},)"
                         R"("removed":[],"unchanged":0})");
  EXPECT_EQ(header_of(answer, "Location"), "(none)");
}

TEST_F(Writes, ByPostOfAnArrayAre201IfAnyWasCreated) {
  EXPECT_EQ(post("/entities/vm", R"([{"id":"1"},{"id":"2"}])").status, 201);
  const auto again = post("/entities/vm", R"([{"id":"1"},{"id":"2","x":1}])");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body,
            R"({"revision":2,"created":[],"updated":{"2":["x"]},"removed":[],"unchanged":1})");
  EXPECT_EQ(header_of(again, "ETag"), "(none)");
  EXPECT_EQ(post("/entities/vm", R"([{"id":"1"},{"id":"3"}])").status, 201);
  EXPECT_EQ(post("/entities/vm", "[]").status, 200);
}

TEST_F(Writes, ByPutOfAnArrayAre201IfTheCollectionWasEmptyAndIsNot) {
  EXPECT_EQ(put("/entities/vm", "[]").status, 200);
  EXPECT_EQ(put("/entities/vm", R"([{"id":"1"},{"id":"2"}])").status, 201);
  const auto answer = put("/entities/vm", R"([{"id":"2"},{"id":"3"}])");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            R"({"revision":2,"created":["3"],"updated":{},"removed":["1"],"unchanged":1})");
  EXPECT_EQ(put("/entities/vm", "[]").status, 200);
  EXPECT_EQ(doctor.get("/entities/vm").body, "[]");
}

TEST_F(Writes, ByPutOfADocumentTakeTheIdOfThePath) {
  EXPECT_EQ(put("/entities/vm/1", R"({"name":"vm1"})").status, 201);
  EXPECT_EQ(doctor.get("/entities/vm/1").body, R"({"id":"1","name":"vm1"})");
  EXPECT_EQ(put("/entities/vm/1", R"({"id":1,"name":"vm2"})").status, 200);
  EXPECT_EQ(put("/entities/vm/1", R"({"id":"2","name":"vm2"})").status, 400);
}

TEST_F(Writes, ThatChangeNothingAnswerTheCurrentRevisionAndTheDocumentsOwnTag) {
  put("/entities/vm/1", R"({"a":1,"b":2})");
  put("/entities/vm/2", R"({})");
  const auto answer = put("/entities/vm/1", R"({ "b" : 2.0, "a" : 1 })");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"revision":2,"created":[],"updated":{},"removed":[],"unchanged":1})");
  EXPECT_EQ(header_of(answer, "ETag"), tag("1"));
}

TEST_F(Writes, ByPatchFollowItsContentType) {
  put("/entities/vm/1", R"({"a":{"x":1,"y":2},"b":1})");
  EXPECT_EQ(patch("/entities/vm/1", R"({"b":null,"c":3})").body,
            R"({"revision":2,"created":[],"updated":{"1":["c","b"]},"removed":[],"unchanged":0})");
  EXPECT_EQ(patch("/entities/vm/1", R"({"a":{"x":null}})",
                  {{"Content-Type", "application/merge-patch+json"}})
                .status,
            200);
  EXPECT_EQ(patch("/entities/vm/1", R"([{"op":"add","path":"/a/z","value":1}])",
                  {{"Content-Type", "application/json-patch+json"}})
                .status,
            200);
  EXPECT_EQ(doctor.get("/entities/vm/1").body, R"({"id":"1","a":{"y":2,"z":1},"c":3})");
  EXPECT_EQ(patch("/entities/vm/1", R"([{"op":"test","path":"/c","value":4}])",
                  {{"Content-Type", "application/json-patch+json"}})
                .status,
            409);
}

TEST_F(Writes, OfWhatIsNotThereAre404) {
  EXPECT_EQ(patch("/entities/vm/1", "{}").status, 404);
  EXPECT_EQ(remove("/entities/vm/1").status, 404);
  EXPECT_EQ(remove("/entities/vm").status, 204);
}

TEST_F(Writes, ByDeleteHaveNoBody) {
  put("/entities/vm/1", "{}");
  const auto answer = remove("/entities/vm/1");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(header_of(answer, "Doctor-Revision"), "2");
  EXPECT_EQ(header_of(answer, "Content-Type"), "(none)");
}

TEST_F(Writes, ThatPreferLittleGetTheStatusWithoutTheBody) {
  const auto answer = post("/entities/vm", R"({"id":"1"})", {{"Prefer", "return=minimal"}});
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(header_of(answer, "Preference-Applied"), "return=minimal");
  EXPECT_EQ(header_of(answer, "ETag"), tag("1"));
  EXPECT_EQ(header_of(answer, "Location"), "/entities/vm/1");
}

TEST_F(Writes, OfAnotherTypeAre415SayingWhatToSend) {
  const World::Headers form{{"Content-Type", "application/x-www-form-urlencoded"}};
  for (const auto method : {"POST", "PUT"}) {
    const auto answer = doctor.send(method, "/entities/vm", form, "[]");
    EXPECT_EQ(answer.status, 415);
    EXPECT_NE(answer.body.find("application/json"), std::string::npos);
  }
  const auto answer = patch("/entities/vm/1", "{}", form);
  EXPECT_EQ(answer.status, 415);
  EXPECT_EQ(header_of(answer, "Accept-Patch"),
            "application/json, application/merge-patch+json, application/json-patch+json");
  EXPECT_EQ(put("/entities/vm/1", "{}", {{"Content-Encoding", "gzip"}}).status, 415);
  EXPECT_EQ(put("/entities/vm/1", "{}", {{"Content-Type", "application/vnd.x+json"}}).status, 201);
}

TEST_F(Writes, OfTheWrongKindOfValueAre400) {
  EXPECT_EQ(put("/entities/vm", R"({"id":"1"})").status, 400);
  EXPECT_EQ(put("/entities/vm/1", R"([])").status, 400);
  EXPECT_EQ(post("/entities/vm", "").status, 400);
  EXPECT_EQ(post("/entities/vm", "1").status, 400);
  EXPECT_EQ(post("/entities/vm", R"({"name":"no id"})").status, 400);
  EXPECT_EQ(patch("/entities/vm/1", "[]").status, 400);
}

TEST_F(Writes, WithAFaultTellWhereItIs) {
  const auto answer = post("/entities/vm", R"({"id":"1","x":tru})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("\"offset\":"), std::string::npos) << answer.body;
  const auto field = post("/entities/vm", R"({"id":"1","a.b":1})");
  EXPECT_EQ(field.status, 400);
  EXPECT_NE(field.body.find("\"field\":\"a.b\""), std::string::npos) << field.body;
  EXPECT_EQ(header_of(field, "Doctor-Revision"), "0");
}

TEST_F(Writes, WithAConditionThatDoesNotHoldAre412) {
  put("/entities/vm/1", R"({"a":1})");
  EXPECT_EQ(put("/entities/vm/1", R"({"a":2})", {{"If-None-Match", "*"}}).status, 412);
  EXPECT_TRUE(doctor.answered_by_head);
  EXPECT_EQ(put("/entities/vm/1", R"({"a":2})", {{"If-Match", tag("7")}}).status, 412);
  EXPECT_EQ(put("/entities/vm/1", R"({"a":2})", {{"If-Match", tag("1")}}).status, 200);
  EXPECT_EQ(remove("/entities/vm/1", {{"If-Match", tag("1")}}).status, 412);
  EXPECT_EQ(doctor.get("/entities/vm/1").body, R"({"id":"1","a":2})");
  EXPECT_EQ(remove("/entities/vm/1", {{"If-Match", "*"}}).status, 204);
}

TEST_F(Writes, AreJudgedInTheSettledOrder) {
  const World::Headers all_wrong{{"If-Match", tag("7")}, {"Content-Type", "text/plain"}};
  EXPECT_EQ(doctor.send("BREW", "/entities/v!", all_wrong, "{").status, 405);
  EXPECT_EQ(patch("/entities/v!/1", "{", all_wrong).status, 400);
  EXPECT_EQ(patch("/entities/vm/1", "{", all_wrong).status, 412);
  EXPECT_EQ(patch("/entities/vm/1", "{", {{"Content-Type", "text/plain"}}).status, 415);
  EXPECT_EQ(patch("/entities/vm/1", "{").status, 400);
  EXPECT_EQ(patch("/entities/vm/1", R"({"id":"2"})").status, 404);
  put("/entities/vm/1", "{}");
  EXPECT_EQ(patch("/entities/vm/1", R"({"id":"2"})").status, 400);
}

TEST_F(Writes, OfManyTakeNoCondition) {
  const World::Headers condition{{"If-Match", "*"}};
  EXPECT_EQ(put("/entities/vm", "[]", condition).status, 400);
  EXPECT_EQ(remove("/entities/vm", condition).status, 400);
  EXPECT_EQ(post("/entities/vm", "[]", condition).status, 400);
  EXPECT_EQ(remove("/entities/vm", {{"If-None-Match", "*"}}).status, 400);
}

TEST_F(Writes, ByPostOfAnObjectTakeAConditionOnIt) {
  const World::Headers only_new{{"If-None-Match", "*"}};
  EXPECT_EQ(post("/entities/vm", R"({"id":"1"})", only_new).status, 201);
  EXPECT_EQ(post("/entities/vm", R"({"id":"1"})", only_new).status, 412);
  EXPECT_EQ(post("/entities/vm", R"({"id":"2"})", only_new).status, 201);
}

TEST_F(Writes, WithAConditionThatIsNoneAre400) {
  EXPECT_EQ(put("/entities/vm/1", "{}", {{"If-Match", "1"}}).status, 400);
  EXPECT_EQ(put("/entities/vm/1", "{}", {{"If-None-Match", "\"1\""}}).status, 400);
}

TEST_F(Writes, WithTheTagOfTheCompressedFormHold) {
  put("/entities/vm/1", R"({"a":1})");
  std::string compressed = tag("1");
  compressed.insert(compressed.size() - 1, "-gzip");
  EXPECT_EQ(put("/entities/vm/1", R"({"a":2})", {{"If-Match", compressed}}).status, 200);
}

TEST_F(Writes, ByAMethodThatIsNotAllowedAre405) {
  const auto answer = post("/entities/vm/1", "{}");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(header_of(answer, "Allow"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(patch("/entities/vm", "{}").status, 405);
  EXPECT_EQ(doctor.get("/query/vm").status, 405);
  EXPECT_EQ(doctor.send("DELETE", "/entities").status, 405);
  EXPECT_EQ(post("/healthz", "").status, 405);
  EXPECT_EQ(patch("/entities/vm/1/x", "{}").status, 404);
}

TEST_F(Writes, OfAnIncompleteBulkWriteNothing) {
  EXPECT_EQ(post("/entities/vm", R"([{"id":"1"},{"id":"1"}])").status, 400);
  EXPECT_EQ(doctor.get("/entities/vm").body, "[]");
}

TEST_F(Writes, OverTheLimitOfADocumentAre413) {
  doctor.setup.limits.document_size = 100;
  doctor.service = std::make_unique<Service>(doctor.setup.options, doctor.setup.limits,
                                             *doctor.authority, doctor.store->identity());
  EXPECT_EQ(put("/entities/vm/1", "{\"a\":\"" + std::string(200, 'a') + "\"}").status, 413);
}

}  // namespace
}  // namespace doctor::rest
