#include <gtest/gtest.h>

#include "doctor/mqtt/test_broker.hpp"

// Announcements: what is heard and by whom.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;

constexpr Version v3 = Version::v3_1_1;
constexpr Version v5 = Version::v5_0;

TEST(Announcements, EachChangeOfACommitIsHeardInItsOrder) {
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5).subscribe("vm/#", 1).quiet();
  world.commit({created("vm", "1"), updated("vm", "2", {"status", "exit_reason"}),
                removed("vm", "a/b"), created("host", "1")});
  EXPECT_EQ(client.hears(),
            (Lines{"q1 #1 vm/1 + revision=1", "q1 #2 vm/2 status,exit_reason revision=1",
                   "q1 #3 vm/a%2Fb - revision=1 commit=end"}));
}

TEST(Announcements, A311SubscriberHearsTheSameWithoutProperties) {
  World world;
  Peer& client = world.client("c1").as_connector().connect(v3).subscribe("vm/+").quiet();
  world.commit({created("vm", "1"), updated("vm", "2", {"-"})});
  EXPECT_EQ(client.hears(), (Lines{"vm/1 +", "vm/2 %2D"}));
}

TEST(Announcements, AreSentAtTheQoSThatWasSubscribed) {
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5).quiet().subscribe("#", 2);
  EXPECT_EQ(client.hears(), (Lines{"SUBACK #1 0x02 revision=0"}));
  world.commit({created("vm", "1")});
  EXPECT_EQ(client.hears(), (Lines{"q2 #1 vm/1 + revision=1 commit=end"}));
}

TEST(Announcements, OverlappingFiltersAreOneDeliveryAtTheHighestQoS) {  // [MQTT-3.3.4-2]
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5);
  client.subscribe("#", 0).subscribe("vm/1", 1).subscribe("+/+", 0).quiet();
  world.commit({created("vm", "1"), created("vm", "2")});
  EXPECT_EQ(client.hears(), (Lines{"q1 #1 vm/1 + revision=1", "vm/2 + revision=1 commit=end"}));
}

TEST(Announcements, CommitEndIsOnTheLastMessageThatMatchedTheConnection) {
  World world;
  world.session("s1", R"({"vm":["1"]})");
  Peer& vms = world.client("c1").as_connector().connect(v5).subscribe("vm/#").quiet();
  Peer& hosts = world.client("c2").as_connector().connect(v5).subscribe("host/#").quiet();
  Peer& session = world.client("c3").as_session("s1").connect(v5).subscribe("#").quiet();
  world.commit(
      {created("vm", "1"), created("host", "1"), created("vm", "2"), created("disk", "1")});
  EXPECT_EQ(vms.hears(), (Lines{"vm/1 + revision=1", "vm/2 + revision=1 commit=end"}));
  EXPECT_EQ(hosts.hears(), (Lines{"host/1 + revision=1 commit=end"}));
  EXPECT_EQ(session.hears(), (Lines{"vm/1 + revision=1 commit=end"}));
}

std::vector<document::Change> many(int count) {
  std::vector<document::Change> changes;
  for (int i = 0; i < count; ++i) changes.push_back(created("vm", std::to_string(i)));
  return changes;
}

TEST(Announcements, ALargeCommitIsMatchedInPartsAndHeardWhole) {
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  Peer& other = world.client("c2").as_connector().connect(v5).subscribe("vm/7").quiet();
  world.commit_silently(many(20'000));
  world.announce();
  const Lines first = client.hears();
  EXPECT_GT(first.size(), 100u);
  EXPECT_LT(first.size(), 19'999u);
  EXPECT_EQ(other.hears(), (Lines{})) << "held until it is known to be the last of the commit";
  world.advance_to_the_end();
  const Lines rest = client.hears();
  EXPECT_EQ(first.size() + rest.size(), 20'000u);
  EXPECT_EQ(rest.back(), "vm/19999 + revision=1 commit=end");
  EXPECT_EQ(other.hears(), (Lines{"vm/7 + revision=1 commit=end"}));
  for (const Lines* lines : {&first, &rest}) {
    EXPECT_EQ(std::count_if(lines->begin(), lines->end(),
                            [](const std::string& l) { return l.ends_with("commit=end"); }),
              lines == &rest ? 1 : 0);
  }
}

TEST(Announcements, ASubscriptionMadeWhileACommitIsMatchedHearsAllAfterTheRevisionItIsTold) {
  World world;
  Peer& busy = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  Peer& late = world.client("c2").as_connector().connect(v5).quiet();
  world.commit_silently(many(20'000));
  world.commit_silently({created("host", "1")});
  world.announce();
  EXPECT_EQ(late.subscribe("host/#").hears(), (Lines{"SUBACK #1 0x00 revision=1"}));
  world.advance_to_the_end();
  EXPECT_EQ(late.hears(), (Lines{"host/1 + revision=2 commit=end"}));
  EXPECT_EQ(busy.hears().size(), 20'001u);
}

TEST(Visibility, ASessionHearsOfADocumentExactlyIfItMayReadIt) {
  World world;
  world.session("some", R"({"vm":["1","a/b"],"host":"*"})");
  world.session("all", "\"*\"");
  world.session("none", "{}");
  Peer& some = world.client("c1").as_session("some").connect(v3).subscribe("#").quiet();
  Peer& all = world.client("c2").as_session("all").connect(v3).subscribe("#").quiet();
  Peer& none = world.client("c3").as_session("none").connect(v3).subscribe("#").quiet();
  world.commit({created("vm", "1"), created("vm", "2"), created("vm", "a/b"), created("host", "9"),
                removed("disk", "1"), removed("host", "8")});
  EXPECT_EQ(some.hears(), (Lines{"vm/1 +", "vm/a%2Fb +", "host/9 +", "host/8 -"}));
  EXPECT_EQ(all.hears().size(), 6u);
  EXPECT_EQ(none.hears(), (Lines{}));
}

TEST(Visibility, ASubscriptionIsAcceptedWhateverItsFilter) {
  World world;
  world.session("none", "{}");
  Peer& client = world.client("c1").as_session("none").connect(v5).quiet();
  EXPECT_EQ(client.subscribe("$SYS/#", 1).subscribe("vm/2", 1).hears(),
            (Lines{"SUBACK #1 0x01 revision=0", "SUBACK #2 0x01 revision=0"}));
}

TEST(Visibility, ASessionEditedInACommitHasItsNewPermissionsForThatCommit) {
  World world;
  world.session("s1", R"({"vm":["1"]})");
  Peer& client = world.client("c1").as_session("s1").connect(v3).subscribe("#").quiet();
  world.commit({created("vm", "1"), created("vm", "2")}, {world.edit("s1", R"({"vm":["2"]})")});
  EXPECT_EQ(client.hears(), (Lines{"vm/2 +"}));
}

TEST(Visibility, AChangeIsJudgedWithThePermissionsOfItsOwnRevision) {
  World world;
  world.session("s1", R"({"vm":["1"]})");
  Peer& client = world.client("c1").as_session("s1").connect(v3).subscribe("#").quiet();
  // In one batch: what was forbidden at its revision stays so, though it is allowed later.
  world.commit_silently({created("vm", "2")});
  world.commit_silently({}, {world.edit("s1", R"({"vm":["2"]})")});
  world.commit_silently({updated("vm", "2", {"a"})});
  world.announce();
  EXPECT_EQ(client.hears(), (Lines{"vm/2 a"}));
}

TEST(Visibility, WhatWaitsInTheQueueIsJudgedOnceMoreWithTheNewestPermissions) {
  World world;
  world.session("s1", R"({"vm":"*"})");
  Peer& client = world.client("c1").as_session("s1").connect(v3).subscribe("#", 1).quiet();
  client.stop_reading();
  world.commit({created("vm", "0")});  // the socket takes this one
  world.commit({created("vm", "1"), created("vm", "2")});
  world.commit({}, {world.edit("s1", R"({"vm":["2"]})")});
  EXPECT_EQ(client.read().hears(), (Lines{"q1 #1 vm/0 +", "q1 #2 vm/2 +"}));
  EXPECT_EQ(world.figures().dropped_forbidden, 1u);
}

TEST(Visibility, NewestPermissionsHoldAlsoForWhatWasAnnouncedBeforeThemInOneBatch) {
  World world;
  world.session("s1", R"({"vm":"*"})");
  Peer& client = world.client("c1").as_session("s1").connect(v3).subscribe("#").quiet();
  world.commit_silently({created("vm", "1"), created("vm", "2")});
  world.commit_silently({}, {world.edit("s1", R"({"vm":["2"]})")});
  world.announce();
  EXPECT_EQ(client.hears(), (Lines{"vm/2 +"}));
}

TEST(Visibility, NothingBeforeTheLoginIsHeardWithLaterPermissions) {
  World world;
  world.session("s1", R"({})");
  world.commit_silently({created("vm", "1")});
  world.commit_silently({}, {world.edit("s1", R"({"vm":"*"})")});
  // Logged in at revision 2, before the broker is told of 1 and 2.
  Peer& client = world.client("c1").as_session("s1").connect(v5).quiet();
  EXPECT_EQ(client.subscribe("#").hears(), (Lines{"SUBACK #1 0x00 revision=2"}));
  world.announce();
  EXPECT_EQ(client.hears(), (Lines{}));
  world.commit({created("vm", "2")});
  EXPECT_EQ(client.hears(), (Lines{"vm/2 + revision=3 commit=end"}));
}

TEST(Visibility, AnOlderStateOfTheSessionDoesNotComeBackAfterTheLogin) {
  World world;
  world.session("s1", R"({"vm":"*"})");
  world.commit_silently({}, {world.edit("s1", R"({"vm":"*"})")});
  world.commit_silently({}, {world.edit("s1", R"({"host":"*"})")});
  Peer& client = world.client("c1").as_session("s1").connect(v3).subscribe("#").quiet();
  world.announce();
  world.commit({created("vm", "1"), created("host", "1")});
  EXPECT_EQ(client.hears(), (Lines{"host/1 +"}));
}

TEST(Visibility, ADeletedSessionIsDisconnectedAtOnce) {
  World world;
  world.session("s1", "\"*\"");
  Peer& five = world.client("c1").as_session("s1").connect(v5).subscribe("#").quiet();
  Peer& three = world.client("c2").as_session("s1").connect(v3).subscribe("#").quiet();
  Peer& other = world.client("c3").as_connector().connect(v3).subscribe("#").quiet();
  world.commit({created("vm", "1")}, {world.remove_session("s1")});
  EXPECT_EQ(five.hears(), (Lines{"DISCONNECT 0x98", "closed"}));
  EXPECT_EQ(three.hears(), (Lines{"closed"}));
  EXPECT_EQ(other.hears(), (Lines{"vm/1 +"}));
  EXPECT_EQ(world.figures().closed_session_ended, 2u);
  EXPECT_EQ(world.figures().subscriptions, 1u);
}

TEST(Visibility, AnExpiredSessionIsDisconnected) {
  World world;
  world.session("s1", "\"*\"", Timestamp(world.wall().value + 60'000));
  Peer& client = world.client("c1").as_session("s1").connect(v5).subscribe("#").quiet();
  world.pass(59s);
  EXPECT_EQ(client.hears(), (Lines{}));
  world.pass(1s);
  EXPECT_EQ(client.hears(), (Lines{"DISCONNECT 0x87", "closed"}));
}

TEST(Visibility, AnExpiredSessionHearsNothingMoreEvenBeforeTheNextTick) {
  World world;
  world.session("s1", "\"*\"", Timestamp(world.wall().value + 60'000));
  Peer& client = world.client("c1").as_session("s1").connect(v5).subscribe("#").quiet();
  client.stop_reading();
  world.commit({created("vm", "0")});
  world.commit({created("vm", "1")});
  std::string out;
  world.broker().output(client.id(), 1000, out, world.now() + 60s);
  EXPECT_EQ(out.find("vm/1"), std::string::npos);
}

TEST(Flow, NoMoreThanReceiveMaximumAreUnacknowledgedAndEachPubackAdvances) {
  // [MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-3]; and the burst that stalled a well-known broker
  World world;
  Peer& client = world.client("c1").as_connector().connect(
      v5, [](Connect& c) { c.properties.add(PropertyId::receive_maximum, 20); });
  client.subscribe("#", 1).quiet();
  world.commit(many(100));
  std::size_t heard = client.hears().size();
  EXPECT_EQ(heard, 20u);
  EXPECT_EQ(client.send(Pingreq{}).hears(), (Lines{"PINGRESP"}));
  for (std::uint16_t id = 1; id <= 100; ++id) {
    client.acknowledge(id);
    heard += client.hears().size();
    ASSERT_EQ(heard, std::min(100u, 20u + id));
  }
}

TEST(Flow, OurOwnBoundOfUnacknowledgedMessagesHoldsFor311) {
  Limits limits;
  limits.mqtt_inflight = 5;
  World world(limits);
  Peer& client = world.client("c1").as_connector().connect(v3).subscribe("#", 1).quiet();
  world.commit(many(100));
  EXPECT_EQ(client.hears().size(), 5u);
  client.acknowledge(3).acknowledge(99);
  EXPECT_EQ(client.hears(), (Lines{"q1 #6 vm/5 +"}));
}

TEST(Flow, AMessageOverTheClientsMaximumIsDroppedAndCounted) {  // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
  World world;
  Peer& client = world.client("c1").as_connector().connect(
      v5, [](Connect& c) { c.properties.add(PropertyId::maximum_packet_size, 70); });
  client.subscribe("#", 1).quiet();
  world.commit({created("vm", std::string(60, 'x')), created("vm", "1")});
  EXPECT_EQ(client.hears(), (Lines{"q1 #1 vm/1 + revision=1 commit=end"}));
  EXPECT_EQ(world.figures().dropped_packet_size, 1u);
}

TEST(Flow, OutputGivesAboutWhatWasAskedForAndKeepsTheRest) {
  World world;
  world.output_max = 100;
  Peer& client = world.client("c1").as_connector().connect(v3).subscribe("#").quiet();
  world.commit(many(1000));
  const Lines heard = client.hears();
  ASSERT_EQ(heard.size(), 1000u);
  EXPECT_EQ(heard.back(), "vm/999 +");
}

TEST(Flow, AttentionNamesAConnectionOnce) {
  World world;
  Peer& client = world.client("c1").as_connector().connect(v3).subscribe("#").quiet();
  const document::Commit commit{document::Revision(1), {}, many(10), {}};
  const document::CommitPtr commits[] = {std::make_shared<const document::Commit>(commit)};
  world.broker().announce(commits, world.now());
  const auto all = world.broker().attention();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].connection, client.id());
  EXPECT_FALSE(all[0].close);
  EXPECT_TRUE(world.broker().attention().empty());
}

}  // namespace
}  // namespace doctor::mqtt::testing
