#include <gtest/gtest.h>

#include "doctor/stomp/heart_beat.hpp"
#include "doctor/stomp/test_broker.hpp"

// Heart-beats, time limits, and what oVirt's Java client needs.
namespace doctor::stomp::testing {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

TEST(HeartBeats, AreOfferedAsTheClientAsksButNotOftenerThanEachSecond) {
  World world;
  const auto offered = [&](std::string text) {
    const std::string line =
        world.client().connect("1.2", "|heart-beat:" + std::move(text)).hears().at(0);
    return line.substr(line.find("heart-beat=") + 11);
  };
  EXPECT_EQ(offered("0,0"), "0,0");
  EXPECT_EQ(offered("5000,15000"), "15000,5000");
  EXPECT_EQ(offered("1,1"), "1000,1000");
  EXPECT_EQ(offered("0,24000"), "24000,0");
  for (const std::string malformed : {"", "1", "1,", ",1", "a,b", "1,2,3", "-1,1", " 1,1"}) {
    EXPECT_EQ(offered(malformed), "0,0") << malformed;
  }
}

TEST(HeartBeats, AreSentWhenNothingElseWasWritten) {
  World world;
  Peer& peer = world.client().connect("1.2", "|heart-beat:0,4000").quiet();
  world.pass(2'900ms);
  EXPECT_EQ(peer.hears(), (Lines{}));
  world.pass(200ms);
  EXPECT_EQ(peer.hears(), (Lines{"beat"}));
  world.pass(2'000ms);
  peer.sends("SEND|destination:q|receipt:1||x").quiet();
  world.pass(2'500ms);
  EXPECT_EQ(peer.hears(), (Lines{})) << "a frame is a beat too";
  world.pass(60s);
  EXPECT_LE(peer.hears().size(), 20u);
}

TEST(HeartBeats, ThatCeaseEndTheConnection) {
  World world;
  Peer& peer = world.client().connect("1.2", "|heart-beat:1000,0").quiet();
  for (int i = 0; i < 10; ++i) {
    world.pass(2'900ms);
    peer.send_bytes("\n");
  }
  EXPECT_EQ(peer.hears(), (Lines{}));
  world.pass(3'200ms);
  EXPECT_EQ(peer.hears(), (Lines{"ERROR message=heart-beat", "closed"}));
  EXPECT_EQ(dead_after(30s), 60s);
}

TEST(HeartBeats, MayBeAnyOctet) {
  World world;
  Peer& peer = world.client().connect("1.2", "|heart-beat:1000,0").quiet();
  for (const char c : "SEND\ndestination:a"sv) {
    world.pass(2'900ms);
    peer.send_bytes(std::string_view(&c, 1));
  }
  EXPECT_EQ(peer.hears(), (Lines{}));
}

TEST(SlowClients, ThatTakeNothingForTooLongAreClosed) {
  World world;
  Peer& peer = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  peer.stop_reading().sends("SEND|destination:a||x");
  world.pass(29s);
  EXPECT_EQ(world.figures().closed_slow, 0u);
  world.broker().taken(peer.id(), Clock::time_point(std::chrono::hours(1) + 29s));
  world.pass(29s);
  EXPECT_EQ(world.figures().closed_slow, 0u) << "however slowly, it reads";
  world.pass(2s);
  EXPECT_EQ(world.figures().closed_slow, 1u);
}

TEST(HeartBeats, ThatTheServerHasNotReadYetHaveNotCeased) {
  World world;
  Peer& peer = world.client().connect("1.2", "|heart-beat:1000,0").quiet();
  Peer& part = world.client().connect().quiet().send_bytes("SEND\ndestination:a\n\nx");
  Peer& late = world.client().open();
  world.unread = peer.id();
  world.pass(5s);
  EXPECT_EQ(peer.hears(), Lines{});
  world.unread = {};
  world.pass(1s);
  EXPECT_EQ(peer.hears(), Lines{}) << "counted from when they were seen to wait";
  world.pass(1s);
  EXPECT_EQ(peer.hears().size(), 2u);
  world.unread = late.id();
  world.pass(10s);
  EXPECT_EQ(late.hears(), Lines{}) << "its CONNECT may be among them";
  world.unread = part.id();
  world.pass(60s);
  EXPECT_EQ(part.hears(), Lines{}) << "the rest of its frame may be";
  EXPECT_EQ(late.hears().size(), 2u);
}

TEST(SlowClients, WhoseFrameDoesNotEndAreClosed) {
  World world;
  Peer& peer = world.client().connect().quiet().send_bytes("SEND\ndestination:a\n\nx");
  world.pass(59s);
  peer.send_bytes("y");
  world.pass(59s);
  EXPECT_EQ(peer.hears(), Lines{}) << "it goes on";
  world.pass(2s);
  EXPECT_EQ(peer.hears(),
            (Lines{"ERROR message=The rest of a frame did not come within the limit body_timeout",
                   "closed"}));
  Peer& idle = world.client().connect().quiet();
  world.pass(200s);
  EXPECT_EQ(idle.hears(), Lines{}) << "nothing is no part of a frame";
}

TEST(Frames, ThatHaveComeInPartAreBoundedTogether) {
  Limits limits;
  limits.bodies_under_way = 5'000;
  limits.stomp_header_block = 1'000;
  World world(limits);
  const std::string part = "SEND\ndestination:a\n\n" + std::string(3'000, 'x');
  Peer& one = world.client().connect().quiet().send_bytes(part);
  Peer& other = world.client().connect().quiet().send_bytes(part);
  EXPECT_EQ(other.hears(),
            (Lines{"ERROR message=More frames have come in part than the limit bodies_under_way",
                   "closed"}));
  EXPECT_EQ(world.client().connect().quiet().send_bytes("SEND\ndest").hears(), Lines{})
      << "a little everyone may";
  EXPECT_EQ(one.send_bytes("\0"sv).hears(), Lines{});
  EXPECT_EQ(world.figures().messages_in, 1u);
  EXPECT_EQ(world.client().connect().quiet().send_bytes(part).hears(), Lines{}) << "room again";
}

Peer& ovirt(World& world) {
  Peer& peer = world.client().open();
  peer.sends("SUBSCRIBE|id:0e3b1a34-5c9f-4c7c-b1e6-000000000001|destination:jms.topic.r|ack:auto");
  peer.sends("SUBSCRIBE|id:0e3b1a34-5c9f-4c7c-b1e6-000000000002|destination:jms.queue.e|ack:auto");
  peer.connect("1.2").quiet();
  world.pass(5s);
  return peer.quiet();
}

TEST(Ovirt, GetsOneFrameInAWrite) {
  World world;
  Peer& peer = ovirt(world).stop_reading();
  for (int i = 0; i < 3; ++i) world.client().connect().sends("SEND|destination:jms.queue.e||x");
  peer.read();
  const auto writes = peer.writes();
  ASSERT_EQ(writes.size(), 3u);
  for (const std::string& write : writes) EXPECT_EQ(write.back(), '\0');
  Peer& other = world.client().connect().sends("SUBSCRIBE|id:1|destination:a").quiet();
  other.stop_reading();
  for (int i = 0; i < 4; ++i) world.client().connect().sends("SEND|destination:a||x");
  EXPECT_EQ(other.read().writes().size(), 2u) << "others get all that waits in one";
}

TEST(Ovirt, GetsALoneLfForEachFrameThatFollowedAnotherClosely) {
  World world;
  Peer& peer = ovirt(world);
  Peer& sends = world.client().connect();
  for (int i = 0; i < 3; ++i) sends.sends("SEND|destination:jms.queue.e||x");
  EXPECT_EQ(peer.hears().size(), 3u);
  world.pass(19ms);
  EXPECT_EQ(peer.hears(), (Lines{}));
  world.pass(2ms);
  EXPECT_EQ(peer.hears(), (Lines{"beat"}));
  world.pass(21ms);
  EXPECT_EQ(peer.hears(), (Lines{"beat"}));
  world.pass(10s);
  EXPECT_EQ(peer.hears(), (Lines{}));
  sends.sends("SEND|destination:jms.queue.e||x");
  world.pass(1s);
  EXPECT_EQ(peer.hears().size(), 1u) << "one that comes alone needs none";
}

TEST(Ovirt, GetsNoMoreLoneLfsThanItsBufferHolds) {
  World world;
  Peer& peer = ovirt(world);
  Peer& sends = world.client().connect();
  for (int i = 0; i < 3'000; ++i) sends.sends("SEND|destination:jms.queue.e||x");
  peer.quiet();
  world.pass(120s);
  EXPECT_LT(peer.hears().size(), 1'000u);
}

TEST(Ovirt, IsEndedWithAReset) {
  World world;
  EXPECT_EQ(ovirt(world).sends("BEGIN").hears().back(), "reset");
}

TEST(Ovirt, IsKnownByItsSubscriptionsOrByTheSetting) {
  const auto end_of = [](World& world, std::string subscribe) {
    return world.client().connect().sends(subscribe).sends("BEGIN").hears().back();
  };
  World world;
  const std::string id = "0e3b1a34-5c9f-4c7c-b1e6-000000000001";
  EXPECT_EQ(end_of(world, "SUBSCRIBE|ack:auto|destination:jms.queue.e|id:" + id), "reset");
  EXPECT_EQ(end_of(world, "SUBSCRIBE|ack:auto|destination:queue.e|id:" + id), "closed");
  EXPECT_EQ(end_of(world, "SUBSCRIBE|ack:client|destination:jms.queue.e|id:" + id), "closed");
  EXPECT_EQ(end_of(world, "SUBSCRIBE|ack:auto|destination:jms.queue.e|id:1"), "closed");
  Options options;
  options.ovirt = true;
  World set({}, options);
  EXPECT_EQ(end_of(set, "SUBSCRIBE|destination:a|id:1"), "reset");
}

// A MESSAGE must come to it with its headers in 1024 octets and with its length.
TEST(Ovirt, GetsMessagesThatItsReaderUnderstands) {
  World world;
  Peer& peer = ovirt(world);
  world.client().connect().sends("SEND|destination:jms.queue.e|content-type:application/json||{}");
  EXPECT_EQ(peer.writes().at(0),
            "MESSAGE\nsubscription:0e3b1a34-5c9f-4c7c-b1e6-000000000002\nmessage-id:1\n"
            "destination:jms.queue.e\ncontent-type:application/json\ncontent-length:2\n\n{}\0"sv);
}

}  // namespace
}  // namespace doctor::stomp::testing
