#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "doctor/mqtt/test_broker.hpp"

// What becomes of those who do not read, or not as fast as changes come.
namespace doctor::mqtt::testing {
namespace {

using namespace std::chrono_literals;

constexpr Version v3 = Version::v3_1_1;
constexpr Version v5 = Version::v5_0;

std::vector<document::Change> many(int count) {
  std::vector<document::Change> changes;
  for (int i = 0; i < count; ++i) changes.push_back(created("vm", std::to_string(i)));
  return changes;
}

Limits short_queues() {
  Limits limits;
  limits.mqtt_queue_messages = 12;
  return limits;
}

TEST(SlowConsumers, LoseNoAnnouncementAndHarmNobody) {
  World world(short_queues());
  Peer& slow = world.client("c1").as_connector().connect(v3).subscribe("#").quiet();
  Peer& reads = world.client("c2").as_connector().connect(v3).subscribe("#").quiet();
  slow.stop_reading();
  Lines all;
  for (int i = 0; i < 100; ++i) {
    world.commit({created("vm", std::to_string(i))});
    all.push_back("vm/" + std::to_string(i) + " +");
  }
  EXPECT_EQ(reads.hears(), all);
  EXPECT_EQ(world.figures().catching_up, 1u);
  EXPECT_LT(world.figures().queued_bytes, 12u * 300u);
  EXPECT_EQ(slow.read().hears(), all);
  EXPECT_EQ(world.figures().catching_up, 0u);
  world.commit({removed("vm", "1")});
  EXPECT_EQ(slow.hears(), (Lines{"vm/1 -"}));
  EXPECT_EQ(world.figures().dropped_queue_full, 0u);
}

TEST(SlowConsumers, LoseWhatClientsPublishAtQoS0BeyondTheirBound) {
  World world(short_queues());
  Peer& slow = world.client("c1").as_connector().connect(v3).subscribe("#").quiet();
  Peer& talks = world.client("c2").as_connector().connect(v3).quiet();
  slow.stop_reading();
  for (int i = 0; i < 100; ++i) talks.publish("news/" + std::to_string(i), "x");
  EXPECT_EQ(world.figures().dropped_queue_full, 87u);
  const Lines heard = slow.read().hears();
  ASSERT_EQ(heard.size(), 13u);  // one that the socket took, and the queue
  EXPECT_EQ(heard.back(), "news/12 x");
}

TEST(SlowConsumers, AreDisconnectedWhenClientsPublishToTheirFullQueueAtQoS1) {
  World world(short_queues());
  Peer& stuck = world.client("c1").as_connector().connect(v5).subscribe("#", 1).quiet();
  Peer& talks = world.client("c2").as_connector().connect(v3).quiet();
  stuck.stop_reading();
  for (int i = 0; i < 13; ++i) talks.publish("news/" + std::to_string(i), "x", 1);
  EXPECT_EQ(world.figures().closed_slow, 0u);
  talks.publish("news/13", "x", 1);
  EXPECT_EQ(world.figures().closed_slow, 1u);
  EXPECT_EQ(stuck.read().hears().back(), "closed");
  EXPECT_EQ(world.figures().queued_bytes, 0u);
}

TEST(SlowConsumers, HearWhatClientsPublishThoughTheyAreBehindTheAnnouncements) {
  World world(short_queues());
  Peer& slow = world.client("c1").as_connector().connect(v3).subscribe("#").quiet();
  Peer& talks = world.client("c2").as_connector().connect(v3).quiet();
  slow.stop_reading();
  world.commit(many(100));
  talks.publish("news/1", "x", 1);
  const Lines heard = slow.read().hears();
  EXPECT_EQ(heard.size(), 101u);
  EXPECT_EQ(std::count(heard.begin(), heard.end(), "news/1 x"), 1);
}

TEST(SlowConsumers, AreBoundedByBytesToo) {
  Limits limits;
  limits.mqtt_queue_bytes = 10'000;
  World world(limits);
  Peer& stuck = world.client("c1").as_connector().connect(v3).subscribe("#").quiet();
  stuck.stop_reading();
  for (int i = 0; i < 1000; ++i) world.commit({created("vm", std::to_string(i))});
  EXPECT_LE(world.figures().queued_bytes, 10'000u);
  EXPECT_GT(world.figures().queued_bytes, 6'000u);
}

TEST(SlowConsumers, AreDisconnectedWhenTheyReadNothingForTooLong) {
  World world;
  Peer& stuck = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  Peer& idle = world.client("c2").as_connector().connect(v5).subscribe("other").quiet();
  stuck.stop_reading();
  world.commit({created("vm", "1")});
  world.commit({created("vm", "2")});
  world.pass(30s);
  EXPECT_EQ(world.figures().closed_slow, 0u);
  world.pass(1s);
  EXPECT_EQ(world.figures().closed_slow, 1u);
  EXPECT_EQ(stuck.read().hears(),
            (Lines{"vm/1 + revision=1 commit=end", "DISCONNECT 0x97", "closed"}));
  EXPECT_EQ(idle.hears(), (Lines{}));
}

TEST(SlowConsumers, AreNotGivenUpWhileTheirSocketsTakeAnything) {
  World world;
  Peer& slow = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  slow.stop_reading();
  world.commit({created("vm", "1")});
  world.commit({created("vm", "2")});
  for (int i = 0; i < 10; ++i) {
    world.pass(29s);
    world.broker().taken(slow.id(), world.now());
  }
  EXPECT_EQ(world.figures().closed_slow, 0u);
  world.pass(31s);
  EXPECT_EQ(world.figures().closed_slow, 1u);
}

TEST(SlowConsumers, WhoAcknowledgesNothingIsDisconnectedOnceItIsBehind) {
  Limits limits = short_queues();
  limits.mqtt_inflight = 2;
  World world(limits);
  Peer& patient = world.client("c1").as_connector().connect(v5).subscribe("vm/1", 1).quiet();
  Peer& stuck = world.client("c2").as_connector().connect(v5).subscribe("#", 1).quiet();
  Peer& slow = world.client("c3").as_connector().connect(v5).subscribe("#", 1).quiet();
  world.commit(many(100));
  std::size_t heard = slow.hears().size();
  for (std::uint16_t id = 1; id <= 100; ++id) {
    slow.acknowledge(id);
    heard += slow.hears().size();
    world.pass(10s);
  }
  EXPECT_EQ(heard, 100u);
  EXPECT_EQ(stuck.hears().back(), "closed");
  EXPECT_EQ(world.figures().closed_slow, 1u);
  EXPECT_EQ(patient.hears().size(), 1u) << "there is no time-out for acknowledgements";
}

TEST(CatchingUp, AtQoS1EachAcknowledgementBringsTheNext) {
  Limits limits = short_queues();
  limits.mqtt_inflight = 5;
  World world(limits);
  Peer& client = world.client("c1").as_connector().connect(v5).subscribe("#", 1).quiet();
  world.commit(many(200));
  Lines heard = client.hears();
  EXPECT_EQ(heard.size(), 5u);
  for (std::uint16_t id = 1; id <= 200; ++id) {
    for (const std::string& line : client.acknowledge(id).hears()) heard.push_back(line);
  }
  ASSERT_EQ(heard.size(), 200u);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(heard[static_cast<std::size_t>(i)], "q1 #" + std::to_string(i + 1) + " vm/" +
                                                      std::to_string(i) + " + revision=1" +
                                                      (i == 199 ? " commit=end" : ""));
  }
}

TEST(CatchingUp, IsServedFromMemoryWhileThatHoldsTheCommits) {
  World world(short_queues());
  Peer& slow = world.client("c1").as_connector().connect(v3).subscribe("#").quiet();
  slow.stop_reading();
  for (int i = 0; i < 50; ++i) world.commit(many(10));
  EXPECT_GT(world.figures().backlog_bytes, 0u);
  EXPECT_EQ(slow.read().hears().size(), 500u);
  EXPECT_EQ(world.log_reads, 0u);
  world.commit({});
  EXPECT_EQ(world.figures().backlog_bytes, 0u) << "nobody is behind any more";
}

TEST(CatchingUp, GoesOnFromTheCommitLogWhereMemoryEnds) {
  Limits limits = short_queues();
  limits.mqtt_backlog_bytes = 20'000;
  World world(limits);
  Peer& slow = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  slow.stop_reading();
  std::size_t all = 0;
  for (int i = 0; i < 50; ++i) {
    world.commit(many(10 * i));
    all += static_cast<std::size_t>(10 * i);
    EXPECT_LE(world.figures().backlog_bytes, 20'000u);
  }
  const Lines heard = slow.read().hears();
  EXPECT_EQ(heard.size(), all);
  EXPECT_GT(world.log_reads, 0u);
  EXPECT_EQ(std::count_if(heard.begin(), heard.end(),
                          [](const std::string& line) { return line.ends_with("commit=end"); }),
            49);
}

TEST(CatchingUp, AnAnnouncementLargerThanAWholeQueueIsDroppedAndCountedAtQoS0AndEndsAtQoS1) {
  Limits limits;
  limits.mqtt_queue_bytes = 1000;
  World world(limits);
  Peer& zero = world.client("c1").as_connector().connect(v3).subscribe("#", 0).quiet();
  Peer& one = world.client("c2").as_connector().connect(v3).subscribe("#", 1).quiet();
  world.commit(
      {created("vm", "1"), updated("vm", "2", {std::string(2000, 'x')}), removed("vm", "1")});
  EXPECT_EQ(zero.hears(), (Lines{"vm/1 +", "vm/1 -"}));
  EXPECT_EQ(world.figures().dropped_queue_full, 1u);
  EXPECT_EQ(one.hears(), (Lines{"q1 #1 vm/1 +", "closed"}));
  EXPECT_EQ(world.figures().catching_up, 0u);
}

TEST(CatchingUp, AtAPlaceThatHasLeftTheCommitLogEndsTheConnection) {
  Limits limits = short_queues();
  limits.mqtt_backlog_bytes = 0;
  World world(limits);
  Peer& slow = world.client("c1").as_connector().connect(v5).subscribe("#").quiet();
  slow.stop_reading();
  for (int i = 0; i < 50; ++i) world.commit(many(10));
  world.log_begins = 50;
  const Lines heard = slow.read().hears();
  EXPECT_EQ(heard.back(), "closed");
  EXPECT_EQ(heard[heard.size() - 2], "DISCONNECT 0x97");
  EXPECT_EQ(world.figures().closed_behind, 1u);
  EXPECT_EQ(world.figures().catching_up, 0u);
}

TEST(CatchingUp, SubscribersOfWhatLeftTheLogBeforeItWasMatchedAreDisconnected) {
  Limits limits;
  limits.mqtt_backlog_bytes = 0;
  World world(limits);
  Peer& hears = world.client("c1").as_connector().connect(v5).subscribe("host/#").quiet();
  Peer& none = world.client("c2").as_connector().connect(v5).quiet();
  world.log_begins = 2;
  world.commit({created("vm", "1")});
  EXPECT_EQ(hears.hears(), (Lines{"DISCONNECT 0x97", "closed"}));
  EXPECT_EQ(none.hears(), (Lines{}));
  none.subscribe("#").quiet();
  world.commit({created("vm", "2")});
  EXPECT_EQ(none.hears(), (Lines{"vm/2 + revision=2 commit=end"}));
}

TEST(CatchingUp, JudgesEachChangeWithThePermissionsOfItsRevision) {
  World world(short_queues());
  world.session("s1", R"({"vm":["1"]})");
  Peer& slow = world.client("c1").as_session("s1").connect(v5).subscribe("#").quiet();
  slow.stop_reading();
  const auto both = [&] { world.commit({updated("vm", "1", {"a"}), updated("vm", "2", {"a"})}); };
  for (int i = 0; i < 20; ++i) both();  // 1 to 20: vm/1 only
  world.commit({}, {world.edit("s1", R"({"vm":["2"]})")});
  both();  // 22: vm/2 only
  world.commit({}, {world.edit("s1", R"({"vm":["1","2"]})")});
  both();  // 24: both
  Lines expected;
  for (int i = 1; i <= 20; ++i) {
    expected.push_back("vm/1 a revision=" + std::to_string(i) + " commit=end");
  }
  expected.push_back("vm/2 a revision=22 commit=end");
  expected.push_back("vm/1 a revision=24");
  expected.push_back("vm/2 a revision=24 commit=end");
  EXPECT_EQ(slow.read().hears(), expected);
}

TEST(CatchingUp, WhatTheNewestPermissionsForbidIsNotHeard) {
  World world(short_queues());
  world.session("s1", R"({"vm":"*"})");
  Peer& slow = world.client("c1").as_session("s1").connect(v3).subscribe("#").quiet();
  slow.stop_reading();
  for (int i = 0; i < 20; ++i) world.commit({updated("vm", "1", {"a"}), updated("vm", "2", {"a"})});
  world.commit({}, {world.edit("s1", R"({"vm":["2"]})")});
  Lines expected{"vm/1 a", "vm/2 a"};  // what the socket had taken
  for (int i = 1; i < 20; ++i) expected.push_back("vm/2 a");
  EXPECT_EQ(slow.read().hears(), expected);
}

TEST(CatchingUp, ASessionEditedWithoutEndMeanwhileIsDisconnected) {
  World world(short_queues());
  world.output_max = 100;
  world.session("s1", R"({"vm":"*"})");
  Peer& slow = world.client("c1").as_session("s1").connect(v3).subscribe("#").quiet();
  slow.stop_reading();
  world.commit(many(100));
  for (int i = 0; i < 1000; ++i) world.commit({}, {world.edit("s1", R"({"vm":"*"})")});
  EXPECT_EQ(world.figures().closed_behind, 0u);
  world.commit({}, {world.edit("s1", R"({"vm":"*"})")});
  EXPECT_EQ(world.figures().closed_behind, 1u);
}

TEST(CatchingUp, FollowsTheSubscriptionsOfThatTime) {
  World world(short_queues());
  world.output_max = 100;
  Peer& slow = world.client("c1").as_connector().connect(v3).subscribe("vm/#").quiet();
  slow.stop_reading();
  world.commit(many(100));
  world.commit({created("host", "1"), created("disk", "1")});
  slow.subscribe("host/#").unsubscribe("vm/#");
  const Lines heard = slow.read().hears();
  EXPECT_EQ(heard.back(), "host/1 +");
  EXPECT_LT(heard.size(), 30u);
  slow.unsubscribe("host/#").quiet();
  world.commit(many(100));
  EXPECT_EQ(slow.hears(), (Lines{}));
  EXPECT_EQ(world.figures().catching_up, 0u);
}

TEST(CatchingUp, LooksForTheFewThatMatchInStepsWithoutWaitingForAnybody) {
  Limits limits;
  limits.mqtt_queue_messages = 2;
  World world(limits);
  Peer& slow = world.client("c1").as_connector().connect(v3).subscribe("host/#").quiet();
  slow.stop_reading();
  for (int i = 0; i < 5; ++i) world.commit({created("host", std::to_string(i))});
  world.commit(many(100'000));
  world.commit({created("host", "6")});
  slow.read();
  EXPECT_TRUE(world.broker().unfinished());
  EXPECT_EQ(slow.hears().size(), 5u);
  world.advance_to_the_end();
  EXPECT_EQ(slow.hears(), (Lines{"host/6 +"}));
  EXPECT_EQ(world.figures().catching_up, 0u);
}

// Readers of every pace, queues and a backlog of every size: each hears all, once, in order, and
// the end of each commit on its last message.
TEST(CatchingUp, ReadersOfAnyPaceHearAllInOrder) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](int count) { return static_cast<int>(random() % unsigned(count)); };
  for (int round = 0; round < 25; ++round) {
    Limits limits;
    limits.mqtt_queue_messages = static_cast<std::size_t>(1 + below(40));
    limits.mqtt_backlog_bytes = static_cast<std::size_t>(below(3) * 10'000);
    limits.mqtt_inflight = static_cast<std::uint16_t>(1 + below(5));
    World world(limits);
    world.output_max = static_cast<std::size_t>(1 + below(300));
    world.log_part_max = static_cast<std::size_t>(1 + below(50));
    constexpr std::size_t count = 4;
    std::vector<Peer*> peers;
    std::vector<Lines> heard(count);
    std::vector<std::uint16_t> acknowledged(count);
    for (std::size_t i = 0; i < count; ++i) {
      Peer& peer = world.client("c" + std::to_string(i)).as_connector().connect(v5);
      peers.push_back(&peer.subscribe(i % 2 == 0 ? "vm/#" : "#", i < 2 ? 0 : 1).quiet());
    }
    const auto take = [&](std::size_t i) {
      for (Lines lines = peers[i]->hears(); !lines.empty(); lines = peers[i]->hears()) {
        for (std::string& line : lines) {
          if (i >= 2) {
            line.erase(0, line.find(' ', 3) + 1);  // q1 #7
            if (++acknowledged[i] == 0) ++acknowledged[i];
            peers[i]->acknowledge(acknowledged[i]);
          }
          heard[i].push_back(std::move(line));
        }
      }
    };
    Lines all;
    Lines vms;
    for (int revision = 1; revision <= 20; ++revision) {
      std::vector<document::Change> changes;
      for (int n = below(3) == 0 ? below(2000) : below(10); n > 0; --n) {
        changes.push_back(created(below(4) == 0 ? "host" : "vm", std::to_string(all.size())));
        const std::string line = changes.back().collection + "/" + changes.back().id +
                                 " + revision=" + std::to_string(revision);
        all.push_back(line);
        if (changes.back().collection == "vm") vms.push_back(line);
      }
      for (Lines* lines : {&all, &vms}) {
        const std::string own = "revision=" + std::to_string(revision);
        if (!lines->empty() && lines->back().ends_with(own)) lines->back() += " commit=end";
      }
      world.commit_silently(std::move(changes));
      if (below(3) > 0) world.announce();
      if (below(2) == 0) world.broker().advance(world.now());
      const auto i = static_cast<std::size_t>(below(count));
      if (below(2) == 0) {
        peers[i]->stop_reading();
      } else {
        peers[i]->read();
        take(i);
      }
    }
    world.announce();
    for (int i = 0; i < 3; ++i) {
      world.advance_to_the_end();
      for (std::size_t peer = 0; peer < count; ++peer) {
        peers[peer]->read();
        take(peer);
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(heard[i].size(), (i % 2 == 0 ? vms : all).size()) << "round " << round;
      ASSERT_TRUE(heard[i] == (i % 2 == 0 ? vms : all)) << "round " << round << " reader " << i;
    }
    EXPECT_EQ(world.figures().catching_up, 0u);
  }
}

}  // namespace
}  // namespace doctor::mqtt::testing
