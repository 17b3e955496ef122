#include <gtest/gtest.h>

#include "doctor/hub/test_hub.hpp"

// Requests, answers and how they find each other.
namespace doctor::hub::testing {
namespace {

using events::RpcError;
using events::RpcRequest;
using events::RpcResponse;

constexpr std::string_view requests = "jms.topic.vdsm_requests";
constexpr std::string_view ping = R"({"jsonrpc":"2.0","method":"Host.ping","id":1})";
constexpr std::string_view pong = R"({"jsonrpc":"2.0","id":1,"result":true})";

std::string heard(std::string_view subscription, std::string_view destination,
                  std::string_view body) {
  return std::string(subscription) + " " + std::string(destination) + " [" + std::string(body) +
         "]";
}

Request only(std::vector<Request> all) {
  EXPECT_EQ(all.size(), 1u);
  return std::move(all.at(0));
}

TEST(Requests, OfEachModeAreAnsweredWhereItsClientsListen) {
  struct Mode {
    std::string request, reply_to, answer;
  };
  const std::vector<Mode> modes = {
      {"/queue/_local/vdsm/requests", "", "/queue/_local/vdsm/reponses"},
      {"/queue/_local/vdsm/requests", "reply-to:mine\n", "/queue/_local/vdsm/reponses"},
      {"jms.topic.vdsm_requests", "", "jms.queue.reponses"},
      {"jms.topic.vdsm_requests", "reply-to:mine\n", "mine"},
      {"jms.topic.vdsm_requests.child", "", "jms.queue.reponses"},
      {"jms.topic.vdsm_irs_requests", "", "jms.queue.irsreponses"},
      {"jms.topic.vdsm_irs_requests", "reply-to:mine\n", "mine"},
  };
  for (const Mode& mode : modes) {
    World world;
    Client& client = world.client().as_connector().subscribe("1", mode.answer);
    client.send(mode.request, ping, mode.reply_to);
    const Request request = only(world.requests());
    EXPECT_EQ(std::get<RpcRequest>(request.calls.calls.at(0)).method, "Host.ping");
    world.answer_all(request, "true");
    EXPECT_EQ(client.hears(), (Lines{heard("1", mode.answer, pong)})) << mode.request;
    EXPECT_EQ(client.headers(), "content-type=application/json");
  }
}

TEST(Requests, WithoutReplyToAreAlsoAnsweredWhereVdsmDoes) {
  for (const std::string request : {"jms.topic.vdsm_requests", "jms.topic.vdsm_irs_requests"}) {
    World world;
    Client& client = world.client()
                         .as_connector()
                         .subscribe("1", "jms.topic.vdsm_responses")
                         .subscribe("2", "jms.queue");
    client.send(request, ping);
    world.answer_all(only(world.requests()), "true");
    EXPECT_EQ(client.hears().size(), 2u) << "each once";
    client.send(request, ping, "reply-to:mine\n");
    world.answer_all(only(world.requests()), "true");
    EXPECT_EQ(client.hears(), Lines{});
  }
}

TEST(Requests, ElsewhereAreMessagesLikeOthers) {
  World world;
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.requests");
  client.send("jms.queue.requests", ping);
  EXPECT_EQ(client.hears().size(), 1u);
  EXPECT_TRUE(world.requests().empty());
}

TEST(Requests, WithEqualIdsAreAnsweredToWhoAsked) {
  World world;
  Client& one = world.client().as_connector().subscribe("1", "r");
  Client& other = world.client().as_connector().subscribe("1", "r");
  one.send(requests, ping, "reply-to:r\n");
  other.send(requests, ping, "reply-to:r\n");
  const auto asked = world.requests();
  ASSERT_EQ(asked.size(), 2u);
  world.answer_all(asked[1], "\"second\"");
  EXPECT_EQ(one.hears(), Lines{});
  EXPECT_EQ(other.hears(),
            (Lines{heard("1", "r", R"({"jsonrpc":"2.0","id":1,"result":"second"})")}));
  world.answer_all(asked[0], "\"first\"");
  EXPECT_EQ(one.hears(), (Lines{heard("1", "r", R"({"jsonrpc":"2.0","id":1,"result":"first"})")}));
  EXPECT_EQ(other.hears(), Lines{});
}

TEST(Requests, AreAnsweredToOtherConnectorsWhereTheOneThatAskedDoesNotListen) {
  World world;
  world.session("s1", "\"*\"");
  Client& asks = world.client().as_connector();
  Client& listens = world.client().as_connector().subscribe("1", "r");
  Client& session = world.client().as_session("s1").subscribe("1", "r");
  asks.send(requests, ping, "reply-to:r\n");
  const Request request = only(world.requests());
  asks.hang_up();
  world.answer_all(request, "true");
  EXPECT_EQ(listens.hears(), (Lines{heard("1", "r", pong)}));
  EXPECT_EQ(session.hears(), Lines{});

  session.send(requests, ping, "reply-to:q\n");
  listens.subscribe("2", "q");
  world.answer_all(only(world.requests()), "true");
  EXPECT_EQ(listens.hears(), Lines{}) << "what a session asked is nobody else's";
}

TEST(Requests, CarryTheirFlowIdToTheAnswer) {
  World world;
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.reponses");
  client.send(requests, ping, "ovirtCorrelationId:abc\nother:x\n");
  const Request request = only(world.requests());
  EXPECT_EQ(request.flow_id, "abc");
  world.answer_all(request, "true");
  EXPECT_EQ(client.headers(), "content-type=application/json ovirtCorrelationId=abc");
}

TEST(Requests, InABatchAreAnsweredInABatch) {
  World world;
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.reponses");
  client.send(requests,
              R"([{"jsonrpc":"2.0","method":"a","id":"x"},{"jsonrpc":"2.0","method":"b"},7])");
  world.answer_all(only(world.requests()), "1");
  EXPECT_EQ(client.hears(),
            (Lines{heard("1", "jms.queue.reponses",
                         R"([{"jsonrpc":"2.0","id":"x","result":1},{"jsonrpc":"2.0","id":null,)"
                         R"("error":{"code":-32600,"message":"A call is an object"}}])")}));
}

TEST(Notifications, AreCarriedOutAndNeverAnswered) {
  World world;
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.reponses");
  client.send(requests, R"({"jsonrpc":"2.0","method":"a"})");
  world.answer_all(only(world.requests()), "1");
  EXPECT_EQ(client.hears(), Lines{});
  EXPECT_EQ(world.hub().figures().calls_under_way, 0u);
}

TEST(Requests, ThatAreNoneAreAnsweredAtOnce) {
  World world;
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.reponses");
  client.send(requests, "{").send(requests, "[]").send(requests, "7");
  EXPECT_TRUE(world.requests().empty());
  const Lines all = client.hears();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_NE(all[0].find(R"("id":null,"error":{"code":-32700)"), all[0].npos);
  EXPECT_NE(all[1].find(R"("id":null,"error":{"code":-32600)"), all[1].npos);
  EXPECT_NE(all[2].find(R"("id":null,"error":{"code":-32600)"), all[2].npos);
}

TEST(Requests, AreAlsoForConnectorsThatSubscribedToThem) {
  World world;
  Client& forwarder = world.client().as_connector().subscribe("1", "jms.topic");
  world.client().as_connector().send(requests, ping);
  EXPECT_EQ(forwarder.hears(), (Lines{heard("1", requests, ping)}));
  EXPECT_EQ(world.requests().size(), 1u);
}

TEST(Requests, InATransactionAreCarriedOutAtItsEnd) {
  World world;
  Client& client = world.client().as_connector();
  client.frame("BEGIN\ntransaction:t\n\n").send(requests, ping, "transaction:t\n");
  EXPECT_TRUE(world.requests().empty());
  client.frame("COMMIT\ntransaction:t\n\n");
  EXPECT_EQ(world.requests().size(), 1u);
}

TEST(Requests, MayBeCompressedWithGzipAndNothingElse) {
  Limits limits;
  limits.stomp_body = 60;
  World world(limits);
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.reponses");
  client.send(requests, "gz:" + std::string(ping), "content-encoding:gzip\n");
  EXPECT_EQ(std::get<RpcRequest>(only(world.requests()).calls.calls.at(0)).method, "Host.ping");
  client.send(requests, ping, "content-encoding:gzip\n");
  const Lines refused = client.hears();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_NE(refused[0].find("-32700"), refused[0].npos);
  EXPECT_EQ(client.send(requests, ping, "content-encoding:br\n").hears().at(0),
            "ERROR A request's content-encoding may only be gzip");
}

TEST(Requests, ThatBecomeTooLargeAreRefused) {
  Limits limits;
  limits.stomp_body = 60;
  World world(limits);
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.reponses");
  limits.stomp_body = 10;
  World small(limits);
  Client& other = small.client().as_connector().subscribe("1", "jms.queue.reponses");
  other.send(requests, "gz:1234567", "content-encoding:gzip\n");
  EXPECT_EQ(other.hears().size(), 1u);
  EXPECT_TRUE(client.hears().empty());
}

TEST(Messages, ElsewhereKeepTheirEncodingUnread) {
  World world;
  Client& client = world.client().as_connector().subscribe("1", "a");
  client.send("a", "?", "content-encoding:br\n");
  EXPECT_EQ(client.hears(), (Lines{heard("1", "a", "?")}));
  EXPECT_EQ(client.headers(), "content-encoding=br");
}

TEST(Requests, AreRefusedWhileTooManyAreUnderWay) {
  Limits limits;
  limits.rpc_calls = 2;
  World world(limits);
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.reponses");
  Client& other = world.client().as_connector();
  client.send(requests, ping).send(requests, ping);
  const auto under_way = world.requests();
  ASSERT_EQ(under_way.size(), 2u);
  client.send(requests, ping);
  EXPECT_TRUE(world.requests().empty());
  EXPECT_NE(client.hears().at(0).find(R"("error":{"code":429,)"), std::string::npos);
  other.send(requests, ping);
  EXPECT_EQ(world.requests().size(), 1u) << "each connection has its own";
  world.answer_all(under_way[0], "true");
  client.send(requests, ping);
  EXPECT_EQ(world.requests().size(), 1u);
  EXPECT_EQ(world.hub().figures().calls_refused, 1u);
}

TEST(Requests, AreRefusedWhileTheyAreTooLargeTogether) {
  Limits limits;
  limits.rpc_calls_bytes = 10;
  World world(limits);
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.reponses");
  client.send(requests, ping);
  const Request first = only(world.requests());
  client.send(requests, ping);
  EXPECT_NE(client.hears().at(0).find(R"("error":{"code":503,)"), std::string::npos);
  world.answer_all(first, "true");
  client.send(requests, ping);
  EXPECT_EQ(world.requests().size(), 1u);
}

TEST(Requests, CountWithWhatTheyTakeOnceTheyAreDecompressed) {
  Limits limits;
  limits.rpc_calls_bytes = 20'000;
  World world(limits);
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.reponses");
  const std::string large =
      R"({"jsonrpc":"2.0","method":"a","id":1,"params":[")" + std::string(15'000, 'x') + R"("]})";
  // All come together, before the first of them is begun.
  const std::string one =
      "SEND\ndestination:" + std::string(requests) + "\ncontent-encoding:gzip\n\ngz:" + large;
  client.frame(one + '\0' + one + '\0' + one + '\0' + one);
  EXPECT_EQ(world.requests().size(), 1u);
  const Lines answers = client.hears();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_NE(answers[0].find(R"("id":1,"error":{"code":503,)"), std::string::npos);
  EXPECT_NE(answers[1].find(R"("id":null,"error":{"code":503,)"), std::string::npos)
      << "not even decompressed";
  EXPECT_EQ(world.hub().figures().calls_refused, 3u);
  EXPECT_GT(world.hub().figures().calls_bytes, large.size());
}

TEST(Requests, OfSessionsLeaveRoomForThoseOfConnectors) {
  Limits limits;
  limits.rpc_calls_bytes = 30'000;
  World world(limits);
  world.session("s", R"({"vm":"*"})");
  const std::string large =
      R"({"jsonrpc":"2.0","method":"a","id":1,"params":[")" + std::string(10'000, 'x') + R"("]})";
  Client& session = world.client().as_session("s").subscribe("1", "jms.queue.reponses");
  session.send(requests, large);
  const Request first = only(world.requests());
  session.send(requests, large);
  EXPECT_TRUE(world.requests().empty());
  EXPECT_NE(session.hears().at(0).find(R"("error":{"code":503,)"), std::string::npos);
  EXPECT_EQ((world.client().as_connector().send(requests, large), world.requests().size()), 1u);
  world.answer_all(first, "true");
  session.send(requests, large);
  EXPECT_EQ(world.requests().size(), 1u);
}

TEST(Answers, ThatWouldFillAnOutboxAreErrors) {
  Limits limits;
  limits.stomp_outbox_bytes = 4'000;
  World world(limits);
  Client& client = world.client().as_connector().subscribe("1", "jms.queue.reponses");
  client.send(requests, ping);
  world.answer_all(only(world.requests()), "\"" + std::string(1'000, 'x') + "\"");
  EXPECT_NE(client.hears().at(0).find(R"("id":1,"error":{"code":413,)"), std::string::npos);

  client.send(requests,
              R"([{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"b","id":2}])");
  world.answer_all(only(world.requests()), "\"" + std::string(700, 'x') + "\"");
  const std::string batch = client.hears().at(0);
  EXPECT_NE(batch.find(R"({"jsonrpc":"2.0","id":1,"result":"xxx)"), batch.npos);
  EXPECT_NE(batch.find(R"("id":2,"error":{"code":413,)"), batch.npos);
}

TEST(Answers, ThatNobodyListensToAreCountedAndTold) {
  World world;
  Client& client = world.client().as_connector();
  client.send(requests, ping);
  world.answer_all(only(world.requests()), "true");
  EXPECT_EQ(world.hub().broker().figures().dropped_answers, 1u);
  EXPECT_EQ(world.log().size(), 1u);
}

TEST(StrictDestinations, DoNotRefuseWhatIsServed) {
  Options options;
  options.broker.strict_destinations = true;
  World world({}, options);
  Client& client = world.client().as_connector();
  EXPECT_EQ(client.send(requests, ping).hears(), Lines{});
  EXPECT_EQ(client.send("nowhere", "x").hears().at(0), "ERROR Subscription not available");
}

TEST(StrictDestinations, LetNothingOfATransactionTakeEffectThatWouldFail) {
  Options options;
  options.broker.strict_destinations = true;
  options.keeps_events = true;
  World world({}, options);
  const std::string queue = "jms.queue.events";
  const std::string_view event = R"({"jsonrpc":"2.0","method":"|a|b|c","params":{}})";
  Client& hears = world.client().as_connector().subscribe("1", queue);
  Client& client = world.client().as_connector();
  client.frame("BEGIN\ntransaction:t\n\n").send(requests, ping, "transaction:t\n");
  client.send(queue, event, "transaction:t\n").send("nowhere", "x", "transaction:t\n");
  client.frame("COMMIT\ntransaction:t\n\n");
  EXPECT_EQ(client.hears().at(0), "ERROR Subscription not available");
  EXPECT_EQ(hears.hears(), Lines{});
  EXPECT_TRUE(world.requests().empty());
  EXPECT_TRUE(world.hub().take_events().empty());
}

}  // namespace
}  // namespace doctor::hub::testing
