#include <gtest/gtest.h>

#include "doctor/stomp/test_broker.hpp"

// Who hears what, by reach, by name and by filter; answers; overflow.
namespace doctor::stomp::testing {
namespace {

Peer& subscribe(Peer& peer, std::string name, std::string more = "") {
  return peer.sends("SUBSCRIBE|id:" + name + "|destination:" + name + more).quiet();
}

Routing to(std::vector<std::string> names, Reach reach = Reach::all_readers) {
  Routing routing;
  routing.destinations = std::move(names);
  routing.reach = reach;
  return routing;
}

TEST(Reach, OfWhatClientsSendIsConnectorsAndSessionsThatReadEverything) {
  World world({}, {}, true);
  world.session("all", "\"*\"");
  world.session("some", R"({"vm":"*"})");
  Peer& connector = subscribe(world.client().as_connector().connect(), "a");
  Peer& all = subscribe(world.client().as_session("all").connect(), "a");
  Peer& some = subscribe(world.client().as_session("some").connect(), "a");
  connector.sends("SEND|destination:a||x");
  EXPECT_EQ(connector.hears().size(), 1u);
  EXPECT_EQ(all.hears().size(), 1u);
  EXPECT_EQ(some.hears().size(), 0u);
  world.routing = to({"a"}, Reach::connectors);
  connector.sends("SEND|destination:a||x");
  EXPECT_EQ(connector.hears().size(), 1u);
  EXPECT_EQ(all.hears().size(), 0u);
}

TEST(Reach, OfAnEventAboutADocumentIsWhoMayReadIt) {
  World world({}, {}, true);
  world.session("s", R"({"vm":["1"]})");
  Peer& session = subscribe(world.client().as_session("s").connect(), "a");
  Routing routing = to({"a"}, Reach::subject_readers);
  routing.subject = {"vm", "1"};
  EXPECT_EQ(world.publish({"a", {}, "x"}, routing), 1u);
  routing.subject = {"vm", "2"};
  EXPECT_EQ(world.publish({"a", {}, "x"}, routing), 0u);
  EXPECT_EQ(session.hears().size(), 1u);
}

TEST(Reach, IsJudgedAgainWithTheNewestPermissionsWhenAMessageLeavesTheQueue) {
  World world({}, {}, true);
  world.session("s", R"({"vm":"*"})");
  Peer& session = subscribe(world.client().as_session("s").connect(), "a").stop_reading();
  Routing routing = to({"a"}, Reach::subject_readers);
  routing.subject = {"vm", "1"};
  for (int i = 0; i < 3; ++i) world.publish({"a", {}, std::to_string(i)}, routing);
  world.edit_session("s", R"({"vm":"2"})");
  EXPECT_EQ(session.read().hears(), (Lines{"MESSAGE subscription=a destination=a [0]"}));
  EXPECT_EQ(world.figures().dropped_forbidden, 2u);
}

TEST(Names, OfWhichEachConnectionHearsByTheFirstThatItSubscribedTo) {
  World world;
  world.routing = to({"events", "responses"});
  Peer& both = world.client().connect();
  subscribe(both, "responses");
  subscribe(both, "events");
  Peer& one = subscribe(world.client().connect(), "responses");
  world.client().connect().sends("SEND|destination:responses||x");
  EXPECT_EQ(both.hears(), (Lines{"MESSAGE subscription=events destination=responses [x]"}));
  EXPECT_EQ(one.hears(), (Lines{"MESSAGE subscription=responses destination=responses [x]"}));
}

TEST(Names, OfWhichEachIsMeantReachASubscriptionOnce) {
  World world;
  world.routing = to({"a.x", "a.y"});
  world.routing->each = true;
  Peer& peer = world.client().connect();
  subscribe(peer, "a");
  subscribe(peer, "a.y");
  peer.sends("SEND|destination:z||x");
  EXPECT_EQ(peer.hears().size(), 2u);
}

TEST(Filters, ChooseNotificationsByTheirMethod) {
  World world;
  world.terms.filter = [](std::string_view event) { return event == "|virt|VM_status|u1"; };
  Peer& peer = subscribe(world.client().connect(), "a");
  Routing routing = to({"a"});
  routing.events = {"|virt|VM_status|u2"};
  EXPECT_EQ(world.publish({"a", {}, "no"}, routing), 0u);
  routing.events = {"|virt|VM_status|u2", "|virt|VM_status|u1"};
  EXPECT_EQ(world.publish({"a", {}, "yes"}, routing), 1u);
  EXPECT_EQ(world.publish({"a", {}, "no notification"}, to({"a"})), 1u);
  EXPECT_EQ(peer.hears().size(), 2u);
}

TEST(Answers, GoToTheConnectionThatAskedAndToNoOther) {
  World world({}, {}, true);
  world.session("s", R"({"vm":"*"})");
  Peer& asked = subscribe(world.client().as_session("s").connect(), "r");
  Peer& other = subscribe(world.client().as_connector().connect(), "r");
  EXPECT_EQ(world.answer({asked.id(), false, {"r.1"}, {"r.1", {}, "42"}}), 1u);
  EXPECT_EQ(asked.hears(), (Lines{"MESSAGE subscription=r destination=r.1 [42]"}));
  EXPECT_EQ(other.hears(), (Lines{}));
}

TEST(Answers, ToAConnectorThatHasGoneGoToOtherConnectors) {
  World world({}, {}, true);
  world.session("s", "\"*\"");
  Peer& session = subscribe(world.client().as_session("s").connect(), "r");
  Peer& other = subscribe(world.client().as_connector().connect(), "r");
  Peer& asked = world.client().as_connector().connect();
  asked.hang_up();
  EXPECT_EQ(world.answer({asked.id(), true, {"r", "r"}, {"r", {}, "42"}}), 1u);
  EXPECT_EQ(other.hears().size(), 1u);
  EXPECT_EQ(session.hears().size(), 0u);
  EXPECT_EQ(world.answer({asked.id(), false, {"r"}, {"r", {}, "42"}}), 0u);
  EXPECT_EQ(world.figures().dropped_answers, 1u);
}

Limits small_outbox() {
  Limits limits;
  limits.stomp_outbox_frames = 4;
  return limits;
}

// One write is under way; what comes after waits in the outbox.
Peer& stalled(World& world, std::string more) {
  Peer& peer = subscribe(world.client().connect(), "a", more).stop_reading();
  world.publish({"a", {}, "0"}, to({"a"}));
  return peer;
}

TEST(Overflow, DropsTheOldestAndTellsHowMany) {
  World world(small_outbox());
  Peer& peer = stalled(world, "|x-overflow:drop-oldest");
  for (int i = 1; i <= 7; ++i) world.publish({"a", {}, std::to_string(i)}, to({"a"}));
  EXPECT_EQ(
      peer.read().hears(),
      (Lines{"MESSAGE subscription=a destination=a [0]", "MESSAGE subscription=a destination=a [4]",
             "MESSAGE subscription=a destination=a [5]", "MESSAGE subscription=a destination=a [6]",
             "MESSAGE subscription=a destination=a [7]",
             "MESSAGE subscription=a destination=overflow [3]"}));
  EXPECT_EQ(world.figures().dropped_overflow, 3u);
}

TEST(Overflow, NeverDropsAnswersButEndsTheConnection) {
  World world(small_outbox());
  Peer& peer = stalled(world, "|x-overflow:drop-oldest");
  for (int i = 1; i <= 5; ++i) world.answer({peer.id(), false, {"a"}, {"a", {}, "x"}});
  EXPECT_EQ(
      peer.read().hears(),
      (Lines{"MESSAGE subscription=a destination=a [0]",
             "ERROR message=More waits to be read than the limit stomp_outbox_frames", "closed"}));
  EXPECT_EQ(world.figures().closed_slow, 1u);
}

TEST(Overflow, MakesRoomForReceiptsAndAnswersByDroppingEvents) {
  World world(small_outbox());
  Peer& peer = stalled(world, "|x-overflow:drop-oldest");
  for (int i = 1; i <= 4; ++i) world.publish({"a", {}, std::to_string(i)}, to({"a"}));
  peer.sends("UNSUBSCRIBE|id:none|receipt:r");
  world.answer({peer.id(), false, {"a"}, {"a", {}, "42"}});
  EXPECT_EQ(
      peer.read().hears(),
      (Lines{"MESSAGE subscription=a destination=a [0]", "MESSAGE subscription=a destination=a [3]",
             "MESSAGE subscription=a destination=a [4]", "RECEIPT receipt-id=r",
             "MESSAGE subscription=a destination=a [42]",
             "MESSAGE subscription=a destination=overflow [2]"}));
}

TEST(Overflow, MayEndTheConnection) {
  World world(small_outbox());
  Peer& peer = stalled(world, "|x-overflow:disconnect");
  for (int i = 1; i <= 5; ++i) world.publish({"a", {}, "x"}, to({"a"}));
  EXPECT_EQ(peer.read().hears().back(), "closed");
}

TEST(Overflow, MayBlockThePublisherUntilThereIsRoom) {
  World world(small_outbox());
  Peer& peer = stalled(world, "|x-overflow:block");
  Peer& sends = world.client().connect().quiet();
  for (int i = 1; i <= 5; ++i) sends.sends("SEND|destination:a||" + std::to_string(i));
  EXPECT_TRUE(sends.is_paused());
  sends.sends("SEND|destination:a|receipt:r||6");
  EXPECT_EQ(sends.hears(), (Lines{})) << "it was read, but waits";
  EXPECT_EQ(world.figures().blocked, 1u);
  EXPECT_EQ(peer.read().hears().size(), 7u) << "nothing was lost";
  EXPECT_FALSE(sends.is_paused());
  EXPECT_EQ(sends.hears(), (Lines{"RECEIPT receipt-id=r"}));
}

TEST(Overflow, LetsAPublisherGoOnWhenTheReceiverHasGone) {
  World world(small_outbox());
  Peer& peer = stalled(world, "|x-overflow:block");
  Peer& sends = world.client().connect().quiet();
  for (int i = 1; i <= 5; ++i) sends.sends("SEND|destination:a||x");
  sends.sends("SEND|destination:a|receipt:r||x");
  peer.hang_up();
  EXPECT_EQ(sends.hears(), (Lines{"RECEIPT receipt-id=r"}));
  EXPECT_FALSE(sends.is_paused());
}

TEST(Overflow, MayNotBlockWhereTheApplicationForbidsIt) {
  World world;
  world.terms.may_block = false;
  EXPECT_EQ(world.client()
                .connect()
                .quiet()
                .sends("SUBSCRIBE|id:1|destination:a|x-overflow:block")
                .hears()
                .at(0),
            "ERROR message=x-overflow:block is not for this subscription");
}

TEST(Overflow, IsAlsoMoreUnacknowledgedMessagesThanTheLimit) {
  Limits limits;
  limits.stomp_unacked_messages = 2;
  World world(limits);
  Peer& peer = subscribe(world.client().connect(), "a", "|ack:client|x-overflow:drop-oldest");
  for (int i = 0; i < 3; ++i) world.publish({"a", {}, std::to_string(i)}, to({"a"}));
  EXPECT_EQ(peer.hears(), (Lines{"MESSAGE subscription=a destination=a [0]",
                                 "MESSAGE subscription=a destination=a [1]"}));
  EXPECT_EQ(world.figures().dropped_overflow, 1u);
  Peer& other = subscribe(world.client().connect(), "b", "|ack:client");
  for (int i = 0; i < 3; ++i) world.publish({"b", {}, "x"}, to({"b"}));
  EXPECT_EQ(other.hears().back(), "closed");
}

TEST(Overflow, IsAlsoMoreUnacknowledgedMessagesOfAllSubscriptionsThanFramesMayWait) {
  Limits limits;
  limits.stomp_outbox_frames = 4;
  World world(limits);
  Peer& peer = world.client().connect();
  for (const std::string id : {"1", "2"}) {
    peer.sends("SUBSCRIBE|id:" + id + "|destination:a|ack:client|x-overflow:drop-oldest");
  }
  peer.sends("SEND|destination:a||x").sends("SEND|destination:a||x");
  EXPECT_EQ(world.figures().dropped_overflow, 0u);
  peer.sends("SEND|destination:a||x");
  EXPECT_EQ(world.figures().dropped_overflow, 2u);
  peer.sends("UNSUBSCRIBE|id:1").sends("SEND|destination:a||x");
  EXPECT_EQ(world.figures().dropped_overflow, 2u) << "room again";
}

TEST(Overflow, OfUnacknowledgedMessagesIsToldOnceThereIsRoom) {
  Limits limits;
  limits.stomp_unacked_messages = 2;
  World world(limits);
  Peer& peer = subscribe(world.client().connect(), "a", "|ack:client|x-overflow:drop-oldest");
  for (int i = 0; i < 5; ++i) world.publish({"a", {}, std::to_string(i)}, to({"a"}));
  EXPECT_EQ(peer.hears().size(), 2u);
  world.publish({"a", {}, "5"}, to({"a"}));
  world.pass(std::chrono::seconds(1));
  EXPECT_EQ(peer.hears(), Lines{}) << "the notice would be one more that is unacknowledged";
  peer.sends("ACK|id:" + peer.ack());
  EXPECT_EQ(peer.hears(), (Lines{"MESSAGE subscription=a destination=overflow [4]"}));
  world.publish({"a", {}, "6"}, to({"a"}));
  EXPECT_EQ(peer.hears(), (Lines{"MESSAGE subscription=a destination=a [6]"}));
}

TEST(Overflow, WhileTheNoticeOfAnEarlierOneWaitsForgetsNoneOfThem) {
  World world(small_outbox());
  Peer& peer = stalled(world, "|x-overflow:drop-oldest");
  const std::uint64_t sent = 40;
  for (std::uint64_t i = 0; i < sent; ++i) {
    world.publish({"a", {}, "x"}, to({"a"}));
    if (i % 3 == 0) peer.read_one();
  }
  std::uint64_t heard = 0, dropped = 0;
  for (const std::string& line : peer.read().hears()) {
    const std::size_t begin = line.find("destination=overflow [");
    if (begin == line.npos) {
      ++heard;
    } else {
      dropped += std::stoull(line.substr(begin + 22));
    }
  }
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(dropped, world.figures().dropped_overflow);
  EXPECT_EQ(heard + dropped, sent + 1) << "with the one that the socket has taken";
}

TEST(Overflow, IsNoneForALargeMessageWhereNothingElseWaits) {
  Limits limits;
  limits.stomp_outbox_bytes = 2'000;
  World world(limits);
  Peer& peer = subscribe(world.client().connect(), "a");
  world.publish({"a", {}, std::string(2'000, 'x')}, to({"a"}));
  EXPECT_EQ(peer.hears().size(), 1u);
}

TEST(Overflow, OfAMessageLargerThanTheOutboxDropsNoOther) {
  Limits limits;
  limits.stomp_outbox_bytes = 2'000;
  World world(limits);
  Peer& peer = stalled(world, "|x-overflow:drop-oldest");
  world.publish({"a", {}, "1"}, to({"a"}));
  world.publish({"a", {}, std::string(2'000, 'x')}, to({"a"}));
  const Lines heard = peer.read().hears();
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_EQ(heard[1], "MESSAGE subscription=a destination=a [1]");
  EXPECT_EQ(heard[2], "MESSAGE subscription=a destination=overflow [1]");
}

TEST(Overflow, IsNoRoomForReceiptsThatAreNotRead) {
  World world(small_outbox());
  Peer& peer = world.client().connect().quiet().stop_reading();
  for (int i = 0; i < 10; ++i) peer.sends("SEND|destination:q|receipt:1||x");
  EXPECT_EQ(peer.read().hears().back(), "closed");
}

}  // namespace
}  // namespace doctor::stomp::testing
