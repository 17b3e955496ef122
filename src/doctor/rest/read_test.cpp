#include "doctor/rest/read.hpp"

#include "doctor/base/text.hpp"
#include "doctor/rest/world.hpp"

namespace doctor::rest {
namespace {

// Two clusters and three VMs, made by revisions 1 to 5.
class Reads : public ::testing::Test {
 protected:
  Reads() {
    put("cluster", R"({"id":"c1","name":"Default"})");
    put("cluster", R"({"id":"c2","name":"Spare"})");
    put("vm", R"({"id":"1","name":"vm1","cluster":"c1"})");
    put("vm", R"({"id":"2","name":"vm2","cluster":"c1"})");
    put("vm", R"({"id":"3","name":"vm3","cluster":"c2"})");
  }

  void put(std::string_view collection, std::string_view document) {
    const auto answer = doctor.send("POST", "/entities/" + std::string(collection), {}, document);
    ASSERT_EQ(answer.status, 201) << answer.body;
  }

  std::string store_id() const { return doctor.store->identity().id; }

  World doctor;
};

TEST_F(Reads, OfADocumentGiveItsTextItsRevisionAndAStrongTag) {
  const auto answer = doctor.get("/entities/vm/1");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"id":"1","name":"vm1","cluster":"c1"})");
  EXPECT_EQ(header_of(answer, "Content-Type"), "application/json");
  EXPECT_EQ(header_of(answer, "Doctor-Revision"), "5");
  EXPECT_EQ(header_of(answer, "ETag"), "\"" + store_id() + "-3\"");
  EXPECT_EQ(header_of(answer, "Cache-Control"), "private, no-cache");
  EXPECT_EQ(header_of(answer, "Vary"), "SECRET, SESSION, Authorization, Accept-Encoding");
  EXPECT_EQ(answer.route, "/entities/{c}/{id}");
}

TEST_F(Reads, OfWhatIsNotThereAre404) {
  for (const auto target : {"/entities/vm/9", "/entities/none/1"}) {
    const auto answer = doctor.get(target);
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_EQ(header_of(answer, "Content-Type"), "application/problem+json");
    EXPECT_EQ(header_of(answer, "Doctor-Revision"), "5");
    EXPECT_EQ(header_of(answer, "Cache-Control"), "private, no-cache");
  }
}

TEST_F(Reads, OfWhatIsNotThereAre404WhateverIsAskedOfIt) {
  const std::string query = R"(?q={"select":"name"})";
  for (const World::Headers& headers : {World::Headers{}, World::Headers{{"If-None-Match", "*"}},
                                        World::Headers{{"If-Match", "*"}}}) {
    const auto answer = doctor.get("/entities/vm/9" + query, headers);
    EXPECT_EQ(answer.status, 404);
    EXPECT_NE(answer.body.find(R"(\"9\" in the collection vm)"), std::string::npos) << answer.body;
    EXPECT_EQ(doctor.get("/sessions/none" + query, headers).status, 404);
  }
}

TEST_F(Reads, OfACollectionAreAnArrayInCreationOrder) {
  EXPECT_EQ(doctor.get("/entities/cluster").body,
            R"([{"id":"c1","name":"Default"},{"id":"c2","name":"Spare"}])");
  EXPECT_EQ(doctor.get("/entities/none").body, "[]");
  EXPECT_EQ(doctor.get("/entities/none").status, 200);
}

TEST_F(Reads, OfTheListOfCollectionsCountTheirDocuments) {
  EXPECT_EQ(doctor.get("/entities").body,
            R"([{"name":"cluster","count":2},{"name":"vm","count":3}])");
  EXPECT_EQ(doctor.get("/entities/").status, 200);
  EXPECT_EQ(doctor.get("/entities?q={}").status, 400);
}

TEST_F(Reads, TakeTheQueryAsAParameterOrAsABody) {
  const std::string query = R"({"select":["name","@cluster.name"],"where":{"name":"vm1"}})";
  const std::string expected = R"([{"name":"vm1","@cluster.name":"Default"}])";
  EXPECT_EQ(doctor.get("/entities/vm?q=" + query).body, expected);
  EXPECT_EQ(doctor.get("/entities/vm?q=" + percent_encode(query)).body, expected);
  EXPECT_EQ(doctor.send("GET", "/entities/vm", {}, query).body, expected);
  EXPECT_EQ(doctor.send("POST", "/query/vm", {}, query).body, expected);
  EXPECT_EQ(doctor.send("POST", "/query/vm/1", {}, R"({"select":"name"})").body,
            R"({"name":"vm1"})");
}

TEST_F(Reads, PreferTheParameterToTheBody) {
  const auto answer = doctor.send("GET", "/entities/vm/1?q={\"select\":\"id\"}", {}, "{nonsense");
  EXPECT_EQ(answer.body, R"({"id":"1"})");
  EXPECT_EQ(doctor.send("GET", "/entities/vm/1?q=", {}, R"({"select":"id"})").body,
            R"({"id":"1","name":"vm1","cluster":"c1"})");
}

TEST_F(Reads, WithNullOrABlankQueryAreWithoutOne) {
  for (const auto q : {"", "null", "+", "{}"}) {
    const auto answer = doctor.get(std::string("/entities/vm/1?q=") + q);
    EXPECT_EQ(header_of(answer, "ETag"), "\"" + store_id() + "-3\"") << q;
  }
}

TEST_F(Reads, JudgeTheQueryBeforeTheyLookForTheDocument) {
  EXPECT_EQ(doctor.get("/entities/vm/9?q={\"selct\":[]}").status, 400);
  EXPECT_EQ(doctor.get("/entities/vm/9?q={\"limit\":1}").status, 400);
  EXPECT_EQ(doctor.get("/entities/vm/9?q={\"select\":[]}").status, 404);
}

TEST_F(Reads, OfAPathThatCannotBeAre400) {
  for (const auto target :
       {"/entities/v%20m", "/entities/a.b/1", "/entities//1", "/entities/vm//", "/entities/vm/%00",
        "/entities/vm/%C3", "/entities/vm/%4", "/entities/vm/%EF%BF%BE"}) {
    const auto answer = doctor.get(target);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_EQ(header_of(answer, "Doctor-Revision"), "5") << target;
  }
  EXPECT_EQ(doctor.get("/entities/vm/" + std::string(256, 'a')).status, 400);
  EXPECT_EQ(doctor.get("/entities/vm/" + std::string(255, 'a')).status, 404);
}

TEST_F(Reads, DecodeTheIdInThePath) {
  put("vm", R"({"id":"a/b c"})");
  EXPECT_EQ(doctor.get("/entities/vm/a%2Fb%20c").body, R"({"id":"a/b c"})");
  EXPECT_EQ(doctor.get("/entities/vm/a%2Fb%20c/").status, 200);
  EXPECT_EQ(doctor.get("/entities/vm/a/b").status, 404);
}

TEST_F(Reads, OfATooLongTargetAre414) {
  EXPECT_EQ(doctor.get("/entities/vm?q=" + std::string(64u << 10, 'a')).status, 414);
}

TEST_F(Reads, OfATooLongQueryAre413) {
  World small({.limits = [] {
    Limits limits;
    limits.query_text = 100;
    return limits;
  }()});
  const std::string query = "{\"select\":\"" + std::string(200, 'a') + "\"}";
  EXPECT_EQ(small.send("POST", "/query/vm", {}, query).status, 413);
}

TEST_F(Reads, HeadIsGetWithoutTheBody) {
  const auto get = doctor.get("/entities/vm");
  const auto head = doctor.send("HEAD", "/entities/vm");
  EXPECT_FALSE(head.send_body);
  EXPECT_EQ(head.body, get.body);
  EXPECT_EQ(header_of(head, "ETag"), header_of(get, "ETag"));
}

TEST_F(Reads, AnsweredFromTheClientsCopyAre304) {
  const std::string tag = header_of(doctor.get("/entities/vm/1"), "ETag");
  const auto again = doctor.get("/entities/vm/1", {{"If-None-Match", tag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(header_of(again, "ETag"), tag);
  EXPECT_EQ(header_of(again, "Doctor-Revision"), "5");
  EXPECT_EQ(header_of(again, "Cache-Control"), "private, no-cache");
  EXPECT_EQ(doctor.get("/entities/vm/9", {{"If-None-Match", "*"}}).status, 404);

  doctor.send("PATCH", "/entities/vm/1", {}, R"({"name":"other"})");
  EXPECT_EQ(doctor.get("/entities/vm/1", {{"If-None-Match", tag}}).status, 200);
}

TEST_F(Reads, WithIfMatchAre412IfTheDocumentIsAnother) {
  const std::string tag = header_of(doctor.get("/entities/vm/1"), "ETag");
  EXPECT_EQ(doctor.get("/entities/vm/1", {{"If-Match", tag}}).status, 200);
  EXPECT_EQ(doctor.get("/entities/vm/2", {{"If-Match", tag}}).status, 412);
  EXPECT_EQ(doctor.get("/entities/vm/9", {{"If-Match", tag}}).status, 404);
  EXPECT_EQ(doctor.get("/entities/vm", {{"If-Match", "*"}}).status, 200);
}

TEST_F(Reads, HaveAWeakTagThatStandsUntilACollectionOfTheQueryIsTouched) {
  const std::string target = R"(/entities/vm?q={"select":["name","@cluster.name"]})";
  const std::string tag = header_of(doctor.get(target), "ETag");
  EXPECT_EQ(tag.substr(0, 3), "W/\"");
  put("disk", R"({"id":"d1"})");
  EXPECT_EQ(doctor.get(target, {{"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(header_of(doctor.get(target, {{"If-None-Match", tag}}), "ETag"), tag);

  put("cluster", R"({"id":"c3"})");
  EXPECT_EQ(doctor.get(target, {{"If-None-Match", tag}}).status, 200);
}

TEST_F(Reads, OfDifferentQueriesHaveDifferentTags) {
  const std::string tag = header_of(doctor.get("/entities/vm"), "ETag");
  EXPECT_NE(tag, header_of(doctor.get(R"(/entities/vm?q={"select":"name"})"), "ETag"));
  EXPECT_NE(tag, header_of(doctor.get("/entities/cluster"), "ETag"));
  EXPECT_NE(header_of(doctor.get(R"(/entities/vm/1?q={"select":"name"})"), "ETag"),
            header_of(doctor.get(R"(/entities/vm/2?q={"select":"name"})"), "ETag"));
}

TEST_F(Reads, OfAnUnknownCollectionHaveATagUntilItIsMade) {
  const std::string tag = header_of(doctor.get("/entities/disk"), "ETag");
  EXPECT_EQ(doctor.get("/entities/disk", {{"If-None-Match", tag}}).status, 304);
  put("disk", R"({"id":"d1"})");
  EXPECT_EQ(doctor.get("/entities/disk", {{"If-None-Match", tag}}).status, 200);
}

TEST_F(Reads, OfThePagesOfAListFollowTheLink) {
  const auto first = doctor.get(R"(/entities/vm?q={"select":"name","limit":2,"count":true})");
  EXPECT_EQ(first.body, R"([{"name":"vm1"},{"name":"vm2"}])");
  EXPECT_EQ(header_of(first, "Doctor-Total-Count"), "3");
  EXPECT_EQ(header_of(first, "Doctor-Next"), "(none)");
  const std::string link = header_of(first, "Link");
  ASSERT_TRUE(link.starts_with("</entities/vm?q=")) << link;
  ASSERT_TRUE(link.ends_with(">; rel=\"next\"")) << link;
  const auto second = doctor.get(link.substr(1, link.find('>') - 1));
  EXPECT_EQ(second.body, R"([{"name":"vm3"}])");
  EXPECT_EQ(header_of(second, "Link"), "(none)");
  EXPECT_EQ(header_of(second, "Doctor-Total-Count"), "3");
}

TEST_F(Reads, OfThePagesOfAQueryInABodyFollowDoctorNext) {
  const auto first = doctor.send("POST", "/query/vm", {}, R"({"select":"name","limit":2})");
  EXPECT_EQ(header_of(first, "Link"), "(none)");
  const std::string cursor = header_of(first, "Doctor-Next");
  const auto page = [&](const std::string& after) {
    return doctor.send("POST", "/query/vm", {},
                       R"({"select":"name","limit":2,"after":")" + after + "\"}");
  };
  EXPECT_EQ(page(cursor).body, R"([{"name":"vm3"}])");

  std::string changed = cursor;
  changed[10] = changed[10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(page(changed).status, 400);
  EXPECT_EQ(page("").status, 400);
  EXPECT_EQ(doctor
                .send("POST", "/query/cluster", {},
                      R"({"select":"name","limit":2,"after":")" + cursor + "\"}")
                .status,
            400);
}

TEST_F(Reads, OfALongQueryFollowDoctorNext) {
  std::string names;
  for (int i = 0; i < 500; ++i) names += ",\"name" + std::to_string(i) + "\"";
  const auto answer = doctor.get("/entities/vm?q={\"limit\":1,\"select\":[\"name\"" + names + "]}");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(header_of(answer, "Link"), "(none)");
  EXPECT_NE(header_of(answer, "Doctor-Next"), "(none)");
}

TEST_F(Reads, OfALaterRevisionThanTheStoresAre503) {
  EXPECT_EQ(doctor.get("/entities/vm/1", {{"Doctor-Min-Revision", "5"}}).status, 200);
  const auto early = doctor.get("/entities/vm/1", {{"Doctor-Min-Revision", "6"}});
  EXPECT_EQ(early.status, 503);
  EXPECT_NE(header_of(early, "Retry-After"), "(none)");
  EXPECT_EQ(header_of(early, "Doctor-Revision"), "5");
  EXPECT_EQ(doctor.get("/entities/vm/1", {{"Doctor-Min-Revision", "-1"}}).status, 400);
}

TEST_F(Reads, AreCompressedWhenTheClientAcceptsItAndItPays) {
  put("vm", R"({"id":"big","text":")" + std::string(4000, 'x') + "\"}");
  const auto plain = doctor.get("/entities/vm/big");
  const auto packed = doctor.get("/entities/vm/big", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(header_of(plain, "Content-Encoding"), "(none)");
  EXPECT_EQ(header_of(packed, "Content-Encoding"), "gzip");
  EXPECT_LT(packed.body.size(), 200u);
  EXPECT_EQ(header_of(packed, "ETag"), "\"" + store_id() + "-6-gzip\"");
  const auto again = doctor.get("/entities/vm/big", {{"Accept-Encoding", "gzip"},
                                                     {"If-None-Match", header_of(packed, "ETag")}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(header_of(again, "ETag"), header_of(packed, "ETag"));
  EXPECT_EQ(
      header_of(doctor.get("/entities/vm/1", {{"Accept-Encoding", "gzip"}}), "Content-Encoding"),
      "(none)");
}

TEST_F(Reads, ThatCannotBeAnsweredInAnAcceptedTypeAre406) {
  EXPECT_EQ(doctor.get("/entities/vm", {{"Accept", "text/html"}}).status, 406);
  EXPECT_EQ(doctor.get("/entities/vm", {{"Accept", "text/html, */*;q=0.1"}}).status, 200);
}

TEST_F(Reads, OfQueriesTellHowLongTheyTook) {
  EXPECT_TRUE(header_of(doctor.get("/entities/vm"), "Server-Timing").starts_with("query;dur="));
}

TEST_F(Reads, OfAQueryOverItsBudgetAre400NamingIt) {
  doctor.setup.limits.answer_size = 10;
  doctor.service = std::make_unique<Service>(doctor.setup.options, doctor.setup.limits,
                                             *doctor.authority, doctor.store->identity());
  const auto answer = doctor.get("/entities/vm");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("answer_size"), std::string::npos) << answer.body;
  EXPECT_EQ(header_of(answer, "ETag"), "(none)");
}

TEST_F(Reads, OfAnExportAreLinesOfOneRevision) {
  EXPECT_EQ(
      doctor.get("/export").body,
      "{\"collection\":\"cluster\",\"document\":{\"id\":\"c1\",\"name\":\"Default\"}}\n"
      "{\"collection\":\"cluster\",\"document\":{\"id\":\"c2\",\"name\":\"Spare\"}}\n"
      "{\"collection\":\"vm\",\"document\":{\"id\":\"1\",\"name\":\"vm1\",\"cluster\":\"c1\"}}\n"
      "{\"collection\":\"vm\",\"document\":{\"id\":\"2\",\"name\":\"vm2\",\"cluster\":\"c1\"}}\n"
      "{\"collection\":\"vm\",\"document\":{\"id\":\"3\",\"name\":\"vm3\",\"cluster\":\"c2\"}}\n");
  const auto some = doctor.get("/export?collection=none&collection=cluster");
  EXPECT_EQ(std::count(some.body.begin(), some.body.end(), '\n'), 2);
  EXPECT_EQ(header_of(some, "Content-Type"), "application/x-ndjson");
  EXPECT_EQ(header_of(some, "Doctor-Revision"), "5");
  EXPECT_EQ(doctor.get("/export?collection=$sessions").status, 400);
}

}  // namespace
}  // namespace doctor::rest
