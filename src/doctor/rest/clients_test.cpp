#include "doctor/rest/clients.hpp"

#include "doctor/json/scanner.hpp"
#include "doctor/rest/world.hpp"

namespace doctor::rest {
namespace {

// A world whose broker notes what it is asked.
class Clients : public ::testing::Test {
 protected:
  Clients() {
    doctor.broker = [this](const ClientsRequest& request) {
      asked = request;
      return reply;
    };
  }

  template <class Asked>
  Asked asked_by(std::string_view method, std::string_view target) {
    asked.reset();
    const Response answer = doctor.send(method, target);
    EXPECT_NE(answer.status, 400) << answer.body;
    return asked ? std::get<Asked>(*asked) : Asked{};
  }

  World doctor;
  std::optional<ClientsRequest> asked;
  ClientsReply reply;
};

TEST_F(Clients, AreListedFromAPlaceOnUpToALimit) {
  EXPECT_EQ(asked_by<ListClients>("GET", "/mqtt/clients").from, 0u);
  EXPECT_EQ(asked_by<ListClients>("GET", "/mqtt/clients").limit, 100u);
  const auto list = asked_by<ListClients>("HEAD", "/mqtt/clients?after=4294967295&limit=1000");
  EXPECT_EQ(list.from, 4'294'967'295u);
  EXPECT_EQ(list.limit, 1'000u);
}

TEST_F(Clients, HaveIdsThatArePercentEncodedInPaths) {
  EXPECT_EQ(asked_by<ShowClient>("GET", "/mqtt/clients/connector%3Aa%2Fb%25%20%C3%A9").id,
            "connector:a/b% é");
  EXPECT_EQ(asked_by<ShowClient>("GET", "/mqtt/clients/connector:a").id, "connector:a");
}

TEST_F(Clients, AreDisconnectedWithOrWithoutTheirSessions) {
  EXPECT_FALSE(asked_by<DisconnectClient>("DELETE", "/mqtt/clients/anyone:a").end_session);
  EXPECT_TRUE(
      asked_by<DisconnectClient>("DELETE", "/mqtt/clients/anyone:a?session=true").end_session);
  EXPECT_FALSE(
      asked_by<DisconnectClient>("DELETE", "/mqtt/clients/anyone:a?session=false").end_session);
}

TEST_F(Clients, AreNotListedForParametersThatCannotBe) {
  for (const auto target :
       {"/mqtt/clients?limit=0", "/mqtt/clients?limit=1001", "/mqtt/clients?limit=x",
        "/mqtt/clients?limit=", "/mqtt/clients?limit=1&limit=2", "/mqtt/clients?after=4294967296",
        "/mqtt/clients?after=-1"}) {
    EXPECT_EQ(doctor.get(target).status, 400) << target;
  }
  EXPECT_EQ(doctor.send("DELETE", "/mqtt/clients/anyone:a?session=1").status, 400);
  EXPECT_EQ(doctor.get("/mqtt/clients/a%2").status, 400);
  EXPECT_FALSE(asked);
}

TEST_F(Clients, ThatAreNotThereAreNotFound) {
  for (const auto method : {"GET", "DELETE"}) {
    const Response answer = doctor.send(method, "/mqtt/clients/anyone:a");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(header_of(answer, "Doctor-Revision"), "(none)");
  }
  EXPECT_EQ(doctor.get("/mqtt/clients/a/b").status, 404);
}

TEST_F(Clients, TakeNoOtherMethods) {
  const Response answer = doctor.send("POST", "/mqtt/clients", {}, "{}");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(header_of(answer, "Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(header_of(doctor.send("PUT", "/mqtt/clients/a", {}, "{}"), "Allow"),
            "GET, HEAD, DELETE, OPTIONS");
}

TEST_F(Clients, AreShownAsJsonWhateverTheirNames) {
  mqtt::ClientView client;
  client.client_id = "quote \" and \\ slash";
  client.id = "anyone:" + client.client_id;
  client.away.emplace();
  client.shown = {{"a/\"#", {}, {}}, {"b", {mqtt::QoS::exactly_once, true, true}, 268'435'455}};
  client.subscriptions = 2;
  reply = mqtt::ClientPage{{client, client}, std::nullopt};
  const Response page = doctor.get("/mqtt/clients");
  EXPECT_TRUE(json::compact(page.body, 64)) << page.body;
  EXPECT_EQ(header_of(page, "Link"), "(none)");
  reply = client;
  const Response one = doctor.get("/mqtt/clients/anyone:a");
  EXPECT_TRUE(json::compact(one.body, 64)) << one.body;
  EXPECT_NE(one.body.find(R"({"filter":"b","qos":2,"no_local":true,"retain_as_published":true,)"
                          R"("identifier":268435455})"),
            std::string::npos);
  EXPECT_EQ(page.body, "[" + one.body + "," + one.body + "]");
}

TEST(ClientsOfASecuredDoctor, AreForTheConnectorAlone) {
  World doctor({.secret = "open sesame"});
  const World::Headers as_connector{{"SECRET", "open sesame"}};
  doctor.send("POST", "/sessions", as_connector, R"({"id":"root-0123456789","permissions":"*"})");
  for (const auto method : {"GET", "HEAD", "DELETE"}) {
    const std::string target = "/mqtt/clients/connector:a";
    EXPECT_EQ(doctor.send(method, target).status, 401);
    EXPECT_EQ(doctor.send(method, target, {{"SESSION", "root-0123456789"}}).status, 401);
    EXPECT_EQ(doctor.send(method, target, {{"SECRET", "wrong"}}).status, 401);
    EXPECT_TRUE(doctor.failed_login);
    EXPECT_EQ(doctor.send(method, target, as_connector).status, 404);
  }
  EXPECT_EQ(doctor.get("/mqtt/clients").status, 401);
  EXPECT_EQ(doctor.get("/mqtt/clients/a/b").status, 401);
  EXPECT_EQ(doctor.get("/mqtt/clients", {{"Origin", "https://evil.example"}}).status, 403);
}

}  // namespace
}  // namespace doctor::rest
