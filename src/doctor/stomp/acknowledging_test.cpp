#include <gtest/gtest.h>

#include "doctor/stomp/test_broker.hpp"

// ACK, NACK and transactions.
namespace doctor::stomp::testing {
namespace {

const Lines unknown{"ERROR message=No such message waits for ACK or NACK", "closed"};

Peer& subscriber(World& world, std::string_view version, std::string mode) {
  return world.client().connect(version).sends("SUBSCRIBE|id:1|destination:a|ack:" + mode).quiet();
}

// Sends that many messages, and gives what each would be acknowledged by.
std::vector<std::string> acks_of(World& world, Peer& peer, int count) {
  std::vector<std::string> acks;
  Peer& sends = world.client().connect();
  for (int i = 0; i < count; ++i) {
    sends.sends("SEND|destination:a||x");
    acks.push_back(peer.ack().empty() ? peer.message_id() : peer.ack());
  }
  peer.quiet();
  return acks;
}

TEST(Ack, OfAutoIsAnErrorSinceItIsSettledAlready) {
  World world;
  Peer& peer = subscriber(world, "1.2", "auto");
  acks_of(world, peer, 1);
  EXPECT_EQ(peer.ack(), "") << "nothing to acknowledge it by";
  EXPECT_EQ(peer.sends("ACK|id:1-" + peer.message_id()).hears(), unknown);
}

TEST(Ack, OfClientIndividualSettlesOneMessage) {
  World world;
  Peer& peer = subscriber(world, "1.2", "client-individual");
  const auto acks = acks_of(world, peer, 3);
  EXPECT_EQ(peer.sends("ACK|id:" + acks[1]).sends("ACK|id:" + acks[0]).hears(), (Lines{}));
  EXPECT_EQ(peer.sends("ACK|id:" + acks[1]).hears(), unknown);
}

TEST(Ack, OfClientSettlesAllThatWereSentBeforeOnTheSubscription) {
  World world;
  Peer& peer = subscriber(world, "1.2", "client");
  const auto acks = acks_of(world, peer, 3);
  EXPECT_EQ(peer.sends("ACK|id:" + acks[1]).sends("ACK|id:" + acks[2]).hears(), (Lines{}));
  EXPECT_EQ(peer.sends("ACK|id:" + acks[0]).hears(), unknown);
}

TEST(Ack, NamesTheMessageAsTheVersionDoes) {
  World world;
  Peer& one = subscriber(world, "1.1", "client-individual");
  const auto acks = acks_of(world, one, 2);
  EXPECT_EQ(one.sends("ACK|subscription:1|message-id:" + acks[0]).hears(), (Lines{}));
  EXPECT_EQ(one.sends("ACK|message-id:" + acks[1]).hears(),
            (Lines{"ERROR message=Missing the id of the message", "closed"}));
  Peer& zero = subscriber(world, "1.0", "client-individual");
  const auto old = acks_of(world, zero, 2);
  EXPECT_EQ(zero.sends("ACK|message-id:" + old[0]).hears(), (Lines{}));
  EXPECT_EQ(zero.sends("ACK|subscription:1|message-id:" + old[1]).hears(), (Lines{}));
  Peer& two = subscriber(world, "1.2", "client");
  EXPECT_EQ(two.sends("ACK|message-id:1|subscription:1").hears(),
            (Lines{"ERROR message=Missing the id of the message", "closed"}));
}

TEST(Ack, OfRubbishIsAnError) {
  World world;
  for (const std::string id : {"", "-", "1", "1-", "-1", "x-y", "99-1", "1-99", "1-1-1"}) {
    EXPECT_EQ(subscriber(world, "1.2", "client").sends("ACK|id:" + id).hears(), unknown) << id;
  }
}

TEST(Nack, CountsWhatItRefusesAndNothingIsDeliveredAgain) {
  World world;
  Peer& peer = subscriber(world, "1.2", "client");
  const auto acks = acks_of(world, peer, 3);
  EXPECT_EQ(peer.sends("NACK|id:" + acks[1]).hears(), (Lines{}));
  EXPECT_EQ(world.figures().nacked, 2u);
  peer.sends("UNSUBSCRIBE|id:1");
  EXPECT_EQ(world.figures().nacked, 3u) << "what was not settled when its subscription ended";
}

TEST(Nack, IsNotOfVersion10) {
  World world;
  EXPECT_EQ(subscriber(world, "1.0", "client").sends("NACK|message-id:1").hears(),
            (Lines{"ERROR message=NACK is not of version 1.0", "closed"}));
}

TEST(Transactions, KeepSendsUntilCommit) {
  World world;
  Peer& hears = subscriber(world, "1.2", "auto");
  Peer& sends = world.client().connect().quiet();
  sends.sends("BEGIN|transaction:t").sends("SEND|destination:a|transaction:t|receipt:1||x");
  sends.sends("SEND|destination:a|transaction:t||y").sends("SEND|destination:a||now");
  EXPECT_EQ(sends.hears(), (Lines{"RECEIPT receipt-id=1"})) << "on acceptance";
  EXPECT_EQ(hears.hears(), (Lines{"MESSAGE subscription=1 destination=a [now]"}));
  sends.sends("COMMIT|transaction:t|receipt:2");
  EXPECT_EQ(hears.hears(), (Lines{"MESSAGE subscription=1 destination=a [x]",
                                  "MESSAGE subscription=1 destination=a [y]"}));
}

TEST(Transactions, ThatAreAbortedOrLoseTheirConnectionDoNothing) {
  World world;
  Peer& hears = subscriber(world, "1.2", "auto");
  Peer& sends = world.client().connect().quiet();
  sends.sends("BEGIN|transaction:t").sends("SEND|destination:a|transaction:t||x");
  sends.sends("ABORT|transaction:t").sends("BEGIN|transaction:t");
  sends.sends("SEND|destination:a|transaction:t||y").sends("DISCONNECT");
  EXPECT_EQ(hears.hears(), (Lines{}));
}

TEST(Transactions, KeepAcknowledgementsWhichReturnWhenAborted) {
  World world;
  Peer& peer = subscriber(world, "1.2", "client-individual");
  const auto acks = acks_of(world, peer, 2);
  peer.sends("BEGIN|transaction:t").sends("ACK|transaction:t|id:" + acks[0]);
  peer.sends("ABORT|transaction:t").sends("BEGIN|transaction:t");
  peer.sends("NACK|transaction:t|id:" + acks[0]);
  EXPECT_EQ(world.figures().nacked, 0u);
  EXPECT_EQ(peer.sends("COMMIT|transaction:t").hears(), (Lines{}));
  EXPECT_EQ(world.figures().nacked, 1u);
  EXPECT_EQ(peer.sends("ACK|id:" + acks[0]).hears(), unknown);
}

TEST(Transactions, HoldAMessageThatTheySettle) {
  World world;
  Peer& peer = subscriber(world, "1.2", "client-individual");
  const auto acks = acks_of(world, peer, 1);
  peer.sends("BEGIN|transaction:t").sends("ACK|transaction:t|id:" + acks[0]);
  EXPECT_EQ(peer.sends("ACK|id:" + acks[0]).hears(), unknown);
}

TEST(Transactions, SurviveTheEndOfASubscriptionThatTheySettleFor) {
  World world;
  Peer& peer = subscriber(world, "1.2", "client");
  const auto acks = acks_of(world, peer, 1);
  peer.sends("BEGIN|transaction:t").sends("ACK|transaction:t|id:" + acks[0]);
  peer.sends("UNSUBSCRIBE|id:1").sends("COMMIT|transaction:t|receipt:r");
  EXPECT_EQ(peer.hears(), (Lines{"RECEIPT receipt-id=r"}));
}

TEST(Transactions, TakeEffectAsAWholeOrNotAtAllWhereDestinationsAreStrict) {
  Options options;
  options.strict_destinations = true;
  World world({}, options);
  Peer& hears = subscriber(world, "1.2", "auto");
  Peer& sends = world.client().connect().quiet();
  sends.sends("BEGIN|transaction:t").sends("SEND|destination:a|transaction:t||x");
  sends.sends("SEND|destination:nowhere|transaction:t||y");
  EXPECT_EQ(sends.sends("COMMIT|transaction:t|receipt:r").hears(),
            (Lines{"ERROR message=Subscription not available receipt-id=r", "closed"}));
  EXPECT_EQ(hears.hears(), Lines{});
  EXPECT_EQ(world.sent_to, Lines{}) << "nor has the application heard of it";
  EXPECT_EQ(world.figures().messages_in, 0u);
  EXPECT_EQ(world.figures().unheard, 1u);

  Peer& other = world.client().connect().quiet();
  other.sends("BEGIN|transaction:t").sends("SEND|destination:a|transaction:t||x");
  other.sends("SEND|destination:a.b|transaction:t||y");
  EXPECT_EQ(other.sends("COMMIT|transaction:t|receipt:r").hears(), (Lines{"RECEIPT receipt-id=r"}));
  EXPECT_EQ(hears.hears().size(), 2u);
}

TEST(Transactions, ThatAreUnknownOrOpenAlreadyAreErrors) {
  World world;
  const auto refused = [&](const std::string& frame) {
    Peer& peer = world.client().connect().sends("BEGIN|transaction:t").quiet();
    return peer.sends(frame).hears().at(0);
  };
  EXPECT_EQ(refused("BEGIN"), "ERROR message=Missing transaction");
  EXPECT_EQ(refused("COMMIT"), "ERROR message=Missing transaction");
  EXPECT_EQ(refused("ABORT"), "ERROR message=Missing transaction");
  EXPECT_EQ(refused("BEGIN|transaction:t"), "ERROR message=The transaction is open already");
  for (const std::string frame :
       {"COMMIT|transaction:u", "ABORT|transaction:u", "SEND|destination:a|transaction:u||x"}) {
    EXPECT_EQ(refused(frame), "ERROR message=No such transaction is open");
  }
}

TEST(Transactions, AreBounded) {
  Limits limits;
  limits.stomp_transactions = 1;
  limits.stomp_transaction_frames = 1;
  limits.stomp_transaction_bytes = 500;
  World world(limits);
  const auto open = [&]() -> Peer& {
    return world.client().connect().sends("BEGIN|transaction:t").quiet();
  };
  EXPECT_EQ(open().sends("BEGIN|transaction:u").hears().at(0),
            "ERROR message=There are more open transactions than the limit stomp_transactions");
  EXPECT_EQ(open()
                .sends("SEND|destination:a|transaction:t||x")
                .sends("SEND|destination:a|transaction:t||x")
                .hears()
                .at(0),
            "ERROR message=A transaction has more frames than the limit stomp_transaction_frames");
  EXPECT_EQ(
      open().sends("SEND|destination:a|transaction:t||" + std::string(500, 'x')).hears().at(0),
      "ERROR message=A transaction is larger than the limit stomp_transaction_bytes");
}

TEST(Transactions, ThatAreOpenAreBoundedTogether) {
  Limits limits;
  limits.stomp_transactions_bytes = 1'000;
  World world(limits);
  const std::string text(300, 'x');
  Peer& peer = world.client().connect().quiet();
  for (int i = 0; i < 10; ++i) {  // what has been committed or aborted counts no more
    peer.sends("BEGIN|transaction:t").sends("SEND|destination:a|transaction:t||" + text);
    peer.sends(i % 2 == 0 ? "COMMIT|transaction:t" : "ABORT|transaction:t");
  }
  EXPECT_EQ(peer.hears(), Lines{});
  for (const std::string name : {"t", "u", "v"}) {
    peer.sends("BEGIN|transaction:" + name);
    peer.sends("SEND|destination:a|transaction:" + name + "||" + text);
  }
  EXPECT_EQ(peer.hears().at(0),
            "ERROR message=The open transactions are together larger than the limit "
            "stomp_transactions_bytes");
}

}  // namespace
}  // namespace doctor::stomp::testing
