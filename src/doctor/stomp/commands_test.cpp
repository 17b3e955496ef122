#include <gtest/gtest.h>

#include "doctor/stomp/test_broker.hpp"

// SEND, SUBSCRIBE, UNSUBSCRIBE, receipts.
namespace doctor::stomp::testing {
namespace {

using namespace std::string_view_literals;

Lines refusal(std::string message) {
  return {"ERROR message=" + std::move(message), "closed"};
}

TEST(Send, ReachesTheSubscribersOfItsDestination) {
  World world;
  Peer& hears = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  world.client().connect().sends("SEND|destination:a||hello").sends("SEND|destination:b||no");
  EXPECT_EQ(hears.hears(), (Lines{"MESSAGE subscription=1 destination=a [hello]"}));
}

TEST(Send, PassesItsHeadersOnInOrderButForThoseThatMessageHasItself) {
  World world;
  Peer& peer = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  peer.sends(
      "SEND|destination:a|z:1|receipt:r|subscription:9|message-id:9|ack:9|y:2|z:3|reply-to:q||x");
  EXPECT_EQ(peer.hears(), (Lines{"MESSAGE subscription=1 destination=a z=1 y=2 reply-to=q [x]",
                                 "RECEIPT receipt-id=r"}));
}

TEST(Send, OfAnEmptyBodyHasAContentLengthToo) {
  World world;
  Peer& peer = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  EXPECT_EQ(peer.sends("SEND|destination:a").writes().at(0),
            "MESSAGE\nsubscription:1\nmessage-id:1\ndestination:a\ncontent-length:0\n\n\0"sv);
}

TEST(Send, IsWrittenInTheVersionOfEachReceiver) {
  World world;
  std::vector<Peer*> peers;
  for (const std::string_view version : {"1.0", "1.1", "1.2"}) {
    peers.push_back(&world.client().connect(version).sends("SUBSCRIBE|id:1|destination:a").quiet());
  }
  world.client().connect("1.2").sends("SEND|destination:a|x\\cy:\\r\\n\\c||b");
  EXPECT_EQ(peers[0]->hears(), (Lines{"MESSAGE subscription=1 destination=a [b]"}));
  EXPECT_EQ(peers[1]->hears(), (Lines{"MESSAGE subscription=1 destination=a x:y=\n: [b]"}));
  EXPECT_EQ(peers[2]->hears(), (Lines{"MESSAGE subscription=1 destination=a x:y=\r\n: [b]"}));
}

TEST(Send, NeedsADestination) {
  World world;
  EXPECT_EQ(world.client().connect().quiet().sends("SEND||x").hears(),
            refusal("Missing destination"));
  EXPECT_EQ(world.client().connect().quiet().sends("SEND|destination:||x").hears(),
            refusal("Missing destination"));
}

TEST(Send, ThatNobodyHearsIsAcceptedSilentlyOrByTheSettingRefused) {
  World world;
  EXPECT_EQ(world.client().connect().quiet().sends("SEND|destination:a||x").hears(), (Lines{}));
  EXPECT_EQ(world.figures().unheard, 1u);
  Options options;
  options.strict_destinations = true;
  World strict({}, options);
  EXPECT_EQ(strict.client().connect().quiet().sends("SEND|destination:a||x").hears(),
            refusal("Subscription not available"));
}

TEST(Send, ThatTheApplicationRefusesEndsTheConnection) {
  World world;
  world.refuses_sends = Refusal{Fault::forbidden, "A session may not send this"};
  EXPECT_EQ(world.client().connect().quiet().sends("SEND|destination:a|receipt:1||x").hears(),
            (Lines{"ERROR message=A session may not send this receipt-id=1", "closed"}));
  EXPECT_EQ(world.sent_to, (Lines{}));
}

TEST(Destinations, AreHeardByTheSubscribersOfTheirWholeFirstSegments) {
  World world;
  Peer& peer = world.client().connect();
  for (const std::string name : {"a.b.c", "a.b", "a", "a.bc", "a.b.c.d", "/a"}) {
    peer.sends("SUBSCRIBE|id:" + name + "|destination:" + name);
  }
  peer.quiet().sends("SEND|destination:a.b.c||x");
  EXPECT_EQ(peer.hears(), (Lines{"MESSAGE subscription=a destination=a.b.c [x]",
                                 "MESSAGE subscription=a.b destination=a.b.c [x]",
                                 "MESSAGE subscription=a.b.c destination=a.b.c [x]"}));
  EXPECT_EQ(peer.sends("SEND|destination:a||x").hears(),
            (Lines{"MESSAGE subscription=a destination=a [x]"}));
}

TEST(Destinations, OfMoreSegmentsThanTheLimitAreRefused) {
  World world;
  EXPECT_EQ(
      world.client().connect().quiet().sends("SEND|destination:" + std::string(128, '.')).hears(),
      refusal("The destination has more segments than the limit stomp_destination_segments"));
}

TEST(Subscribe, NeedsADestinationAndFrom11OnAnId) {
  World world;
  const Lines refused = refusal("Missing destination or subscription id header");
  EXPECT_EQ(world.client().connect().quiet().sends("SUBSCRIBE|id:1").hears(), refused);
  EXPECT_EQ(world.client().connect("1.1").quiet().sends("SUBSCRIBE|destination:a").hears(),
            refused);
  EXPECT_EQ(world.client()
                .connect("1.0")
                .quiet()
                .sends("SUBSCRIBE|destination:a")
                .sends("SEND|destination:a||x")
                .hears(),
            (Lines{"MESSAGE destination=a [x]"}));
}

TEST(Subscribe, OfAnIdThatExistsIsAnError) {
  World world;
  Peer& peer = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  EXPECT_EQ(peer.sends("SUBSCRIBE|id:1|destination:b").hears(),
            refusal("Subscription id already exists"));
}

TEST(Subscribe, TwiceWithDifferentIdsHearsTwoCopies) {
  World world;
  Peer& peer = world.client().connect();
  peer.sends("SUBSCRIBE|id:1|destination:a").sends("SUBSCRIBE|id:2|destination:a").quiet();
  EXPECT_EQ(peer.sends("SEND|destination:a||x").hears(),
            (Lines{"MESSAGE subscription=1 destination=a [x]",
                   "MESSAGE subscription=2 destination=a [x]"}));
}

TEST(Subscribe, InAnUnknownAckModeOrPolicyIsAnError) {
  World world;
  EXPECT_EQ(
      world.client().connect().quiet().sends("SUBSCRIBE|id:1|destination:a|ack:maybe").hears(),
      refusal("Unknown ack mode"));
  EXPECT_EQ(
      world.client().connect().quiet().sends("SUBSCRIBE|id:1|destination:a|x-overflow:x").hears(),
      refusal("Unknown x-overflow"));
}

TEST(Subscribe, MoreOftenThanTheLimitIsAnError) {
  Limits limits;
  limits.stomp_subscriptions = 1;
  World world(limits);
  Peer& peer = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  EXPECT_EQ(peer.sends("SUBSCRIBE|id:2|destination:a").hears(),
            refusal("There are more subscriptions than the limit stomp_subscriptions"));
}

TEST(Subscribe, WithMoreTextThanTheLimitIsAnError) {
  Limits limits;
  limits.stomp_subscriptions_bytes = 100;
  World world(limits);
  const std::string destination(58, 'a');
  Peer& peer = world.client().connect().sends("SUBSCRIBE|id:1|destination:" + destination).quiet();
  EXPECT_EQ(peer.sends("UNSUBSCRIBE|id:1").hears(), Lines{});
  peer.sends("SUBSCRIBE|id:1|destination:" + destination);
  EXPECT_EQ(peer.sends("SUBSCRIBE|id:" + std::string(40, '2') + "|destination:b").hears(), Lines{});
  EXPECT_EQ(peer.sends("SUBSCRIBE|id:3|destination:c").hears(),
            refusal("The subscriptions are together larger than the limit "
                    "stomp_subscriptions_bytes"));
  world.terms.filter_text = 100;
  EXPECT_EQ(world.client().connect().quiet().sends("SUBSCRIBE|id:1|destination:a").hears().size(),
            2u)
      << "what a filter keeps counts too";
}

TEST(Subscribe, CountsAsOftenAsTheApplicationSays) {
  Limits limits;
  limits.stomp_subscriptions = 10;
  World world(limits);
  world.terms.cost = 5;
  Peer& peer = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  peer.sends("SUBSCRIBE|id:2|destination:a").sends("UNSUBSCRIBE|id:1");
  EXPECT_EQ(peer.sends("SUBSCRIBE|id:3|destination:a").hears(), Lines{});
  EXPECT_EQ(peer.sends("SUBSCRIBE|id:4|destination:a").hears(),
            refusal("There are more subscriptions than the limit stomp_subscriptions"));
}

TEST(Unsubscribe, EndsTheSubscriptionAndFreesItsId) {
  World world;
  Peer& peer = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  EXPECT_EQ(peer.sends("UNSUBSCRIBE|id:1|receipt:r").sends("SEND|destination:a||x").hears(),
            (Lines{"RECEIPT receipt-id=r"}));
  EXPECT_EQ(peer.sends("SUBSCRIBE|id:1|destination:a").sends("SEND|destination:a||x").hears(),
            (Lines{"MESSAGE subscription=1 destination=a [x]"}));
}

// oVirt's Java client unsubscribes the ids of all its earlier connections when it closes.
TEST(Unsubscribe, OfAnUnknownIdIsIgnored) {
  World world;
  EXPECT_EQ(world.client().connect().quiet().sends("UNSUBSCRIBE|id:9|receipt:r").hears(),
            (Lines{"RECEIPT receipt-id=r"}));
}

TEST(Unsubscribe, NeedsAnIdButIn10ADestinationDoes) {
  World world;
  EXPECT_EQ(world.client().connect().quiet().sends("UNSUBSCRIBE|destination:a").hears(),
            refusal("Missing subscription id header"));
  Peer& old = world.client().connect("1.0").sends("SUBSCRIBE|destination:a");
  old.sends("SUBSCRIBE|id:1|destination:a").quiet().sends("UNSUBSCRIBE|destination:a");
  EXPECT_EQ(old.sends("SEND|destination:a||x").hears(),
            (Lines{"MESSAGE subscription=1 destination=a [x]"}));
}

TEST(Unsubscribe, LetsNoMessageFollowItsReceipt) {
  World world;
  Peer& peer = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  peer.stop_reading().sends("SEND|destination:a||1").sends("SEND|destination:a||2");
  peer.sends("UNSUBSCRIBE|id:1|receipt:r");
  EXPECT_EQ(peer.read().hears(),
            (Lines{"MESSAGE subscription=1 destination=a [1]", "RECEIPT receipt-id=r"}));
}

TEST(Receipts, ComeInTheOrderOfTheirFramesWithTheSameOctets) {
  World world;
  Peer& peer = world.client().connect().quiet();
  peer.send_bytes(
      "BEGIN\ntransaction:1\nreceipt:a\\cb\n\n\0ABORT\ntransaction:1\nreceipt: 2 \n\n\0"sv);
  EXPECT_EQ(peer.writes().at(0), "RECEIPT\nreceipt-id:a\\cb\n\n\0RECEIPT\nreceipt-id: 2 \n\n\0"sv);
}

TEST(Receipts, AreOfNoFrameThatFailed) {
  World world;
  EXPECT_EQ(world.client().connect().quiet().sends("COMMIT|transaction:1|receipt:7").hears(),
            (Lines{"ERROR message=No such transaction is open receipt-id=7", "closed"}));
}

TEST(Commands, OfServersAreNotForClients) {
  World world;
  for (const std::string command : {"CONNECTED", "MESSAGE", "RECEIPT", "ERROR"}) {
    EXPECT_EQ(world.client().connect().quiet().sends(command).hears(),
              refusal("A client may not send this command"));
  }
}

TEST(Connections, ThatEndTakeTheirSubscriptionsWithThem) {
  World world;
  world.client().connect().sends("SUBSCRIBE|id:1|destination:a").hang_up();
  EXPECT_EQ(world.figures().subscriptions, 0u);
  EXPECT_EQ(world.figures().connections, 0u);
}

}  // namespace
}  // namespace doctor::stomp::testing
