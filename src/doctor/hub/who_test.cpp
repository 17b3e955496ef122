#include <gtest/gtest.h>

#include "doctor/hub/test_hub.hpp"

// Who a client is, and who may do what.
namespace doctor::hub::testing {
namespace {

constexpr std::string_view events = "jms.queue.events";
constexpr std::string_view requests = "jms.topic.vdsm_requests";
constexpr std::string_view ping = R"({"jsonrpc":"2.0","method":"Host.ping","id":1})";
constexpr std::string_view happened = R"({"jsonrpc":"2.0","method":"|a|b|c"})";

const Lines refused = {"ERROR Bad CONNECT", "closed"};

TEST(Login, IsOfTheConnectorWithTheSecretOrOfASessionWithItsId) {
  World world;
  world.session("s1", R"({"vm":"*"})");
  EXPECT_EQ(world.client().as_connector().hears(), Lines{});
  EXPECT_EQ(world.client().as_session("s1").hears(), Lines{});
  EXPECT_EQ(world.client().as_session("s2").hears(), refused);
  EXPECT_EQ(world.client().connect("login:connector\npasscode:guess\n").hears(), refused);
  EXPECT_EQ(world.client().connect("login:connector\n").hears(), refused);
  EXPECT_EQ(world.client().connect("login:root\npasscode:the secret\n").hears(), refused);
  EXPECT_EQ(world.client().connect().hears(), refused);
}

TEST(Login, IsOfTheConnectorWithACertificateThatIsListedAndNoWords) {
  World world({}, {}, {{"engine.example"}, true});
  EXPECT_EQ(world.client().certified("engine.example").connect().hears(), Lines{});
  EXPECT_EQ(world.client().certified("other.example").connect().hears(), refused);
  EXPECT_EQ(world.client()
                .certified("engine.example")
                .connect("login:connector\npasscode:guess\n")
                .hears(),
            refused);
  world.hub().use({{"other.example"}, true});
  EXPECT_EQ(world.client().certified("other.example").connect().hears(), Lines{});
  EXPECT_EQ(world.client().certified("engine.example").connect().hears(), refused);
}

TEST(Login, OfASessionThatHasACertificateTooIsTheSessions) {
  World world({}, {}, {{"engine.example"}, true});
  world.session("s1", R"({"vm":"*"})");
  Client& session = world.client().certified("engine.example").as_session("s1");
  EXPECT_EQ(session.send("a", "").hears().at(0),
            "ERROR A session may send only to destinations of requests");
}

TEST(Login, IsNotNeededWhereThereIsNoSecret) {
  World world({}, {}, {}, false);
  world.session("s1", R"({"vm":"1"})");
  Client& anyone = world.client().connect().subscribe("1", events);
  Client& stranger = world.client().connect("login:x\npasscode:y\n").subscribe("1", events);
  Client& session = world.client().as_session("s1").subscribe("1", events);
  world.commit({"-vm/2"});
  EXPECT_EQ(anyone.hears().size(), 1u);
  EXPECT_EQ(stranger.hears().size(), 1u);
  EXPECT_EQ(session.hears().size(), 0u) << "a known session narrows what is seen";
}

TEST(ASession, MaySendNothingButRequests) {
  World world;
  world.session("s1", "\"*\"");
  EXPECT_EQ(world.client().as_session("s1").send(requests, ping).hears(), Lines{});
  EXPECT_EQ(world.client().as_session("s1").send("jms.topic.vdsm_requests.x", ping).hears(),
            Lines{});
  ASSERT_EQ(world.requests().size(), 2u);
  const Lines forbidden = {"ERROR A session may send only to destinations of requests", "closed"};
  EXPECT_EQ(world.client().as_session("s1").send(events, happened).hears(), forbidden);
  EXPECT_EQ(world.client().as_session("s1").send("anything", "x").hears(), forbidden);
  EXPECT_EQ(world.client().as_session("s1").send("jms.topic.vdsm_requestsx", "x").hears(),
            forbidden);
}

TEST(ASession, MayNotHaveAnswersSentToADestinationOfEvents) {
  World world;
  world.session("s1", "\"*\"");
  for (const std::string name :
       {"jms.queue.events", "jms.queue.events.mine", "jms.topic.vdsm_responses"}) {
    EXPECT_EQ(world.client()
                  .as_session("s1")
                  .send(requests, ping, "reply-to:" + name + "\n")
                  .hears()
                  .at(0),
              "ERROR A session's reply-to may not be a destination of events");
  }
  EXPECT_EQ(
      world.client().as_connector().send(requests, ping, "reply-to:jms.queue.events\n").hears(),
      Lines{});
}

TEST(ASession, HearsNothingThatOthersSendUnlessItMayReadEverything) {
  World world;
  world.session("some", R"({"vm":"*"})");
  world.session("all", "\"*\"");
  const auto listen = [&](const std::string& id) -> Client& {
    return world.client()
        .as_session(id)
        .subscribe("1", "news")
        .subscribe("2", events)
        .subscribe("3", requests);
  };
  Client& some = listen("some");
  Client& all = listen("all");
  world.client().as_connector().send("news", "n").send(events, happened).send(requests, ping);
  EXPECT_EQ(some.hears(), Lines{});
  EXPECT_EQ(all.hears(),
            (Lines{"1 news [n]", "2 jms.queue.events [" + std::string(happened) + "]"}))
      << "requests are for connectors alone";
}

TEST(ASession, CannotHaveAConnectorDisconnectedThatHearsRequests) {
  Limits limits;
  limits.stomp_outbox_frames = 4;
  for (const std::string destination :
       {"jms", "jms.topic.vdsm_requests", "jms.topic.vdsm_irs_requests.x",
        "/queue/_local/vdsm/requests"}) {
    World world(limits);
    world.session("s1", "{}");
    Client& forwarder = world.client().as_connector().subscribe("f", destination);
    Client& session = world.client().as_session("s1");
    forwarder.stop_reading();
    const std::string to = destination == "jms" ? std::string(requests) : destination;
    for (int i = 0; i < 20; ++i) session.send(to, ping);
    forwarder.read();
    const Lines heard = forwarder.hears();
    ASSERT_EQ(heard.size(), 1 + 4 + 1u) << destination;
    EXPECT_NE(heard.back().find("|doctor|overflow|f"), std::string::npos) << "and is told of it";
  }
}

TEST(ASession, MayNotHoldUpPublishers) {
  World world;
  world.session("s1", "\"*\"");
  const Lines forbidden = {"ERROR x-overflow:block is not for this subscription", "closed"};
  const std::string_view block = "x-overflow:block\n";
  EXPECT_EQ(world.client().as_session("s1").subscribe("1", "a", block).hears(), forbidden);
  EXPECT_EQ(world.client().as_connector().subscribe("1", events, block).hears(), forbidden);
  EXPECT_EQ(world.client().as_connector().subscribe("1", "jms", block).hears(), forbidden)
      << "it hears events too";
  EXPECT_EQ(world.client().as_connector().subscribe("1", "a", block).hears(), Lines{});
}

}  // namespace
}  // namespace doctor::hub::testing
