#include "doctor/stomp/outbox.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/stomp/test_broker.hpp"

// What waits for all connections together.
namespace doctor::stomp::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t all = 100'000;

Limits together() {
  Limits limits;
  limits.stomp_outboxes_bytes = all;
  return limits;
}

Peer& subscribe(World& world, std::string name, std::string more = "") {
  return world.client().connect().sends("SUBSCRIBE|id:s|destination:" + name + more).quiet();
}

std::vector<Peer*> stalled(World& world, int count, const std::string& name,
                           const std::string& more) {
  std::vector<Peer*> peers;
  for (int i = 0; i < count; ++i) {
    peers.push_back(&subscribe(world, name + "." + std::to_string(i), more).stop_reading());
  }
  return peers;
}

// A message of its own for each of them.
void tell_each(World& world, int count, const std::string& name, std::size_t size) {
  for (int i = 0; i < count; ++i) {
    Routing routing;
    routing.destinations = {name + "." + std::to_string(i)};
    world.publish({routing.destinations[0], {}, std::string(size, 'x')}, routing);
  }
}

Routing to(std::string name) {
  Routing routing;
  routing.destinations = {std::move(name)};
  return routing;
}

TEST(Outboxes, AreBoundedTogetherAndWhoReadsHearsOn) {
  World world(together());
  stalled(world, 20, "a", "|x-overflow:drop-oldest");
  Peer& reads = subscribe(world, "b");
  for (int i = 0; i < 100; ++i) {
    tell_each(world, 20, "a", 1'000);
    world.publish({"b", {}, std::string(20'000, 'x')}, to("b"));
    ASSERT_LE(world.figures().outboxes_bytes, all);
  }
  EXPECT_GT(world.figures().outboxes_bytes, all / 2);
  EXPECT_EQ(reads.hears().size(), 100u);
  EXPECT_GT(world.figures().dropped_outboxes, 1'000u);
  EXPECT_EQ(world.figures().dropped_overflow, 0u);
  EXPECT_EQ(world.log(),
            (Lines{"STOMP: dropped messages for 10.0.0.1: too much waits for all clients together "
                   "(stomp_outboxes_bytes)"}));
}

TEST(Outboxes, CountAMessageOnceHoweverManyItWaitsFor) {
  World world(together());
  const auto peers = stalled(world, 20, "a", "");
  for (Peer* peer : peers) peer->sends("SUBSCRIBE|id:all|destination:all");
  for (int i = 0; i < 5; ++i) world.publish({"all", {}, std::string(2'000, 'x')}, to("all"));
  EXPECT_GT(world.figures().queued_bytes, 20 * 4 * 2'000u);
  EXPECT_LT(world.figures().outboxes_bytes, 5 * 2'000 + 20 * 5 * 150u);
  EXPECT_EQ(world.figures().closed_outboxes, 0u);
  for (Peer* peer : peers) peer->read();
  EXPECT_EQ(world.figures().outboxes_bytes, 0u);
}

TEST(Outboxes, EndWhoHasMoreThanItsPartAndWasNotToLoseAny) {
  World world(together());
  const auto peers = stalled(world, 20, "a", "|x-overflow:disconnect");
  for (int i = 0; i < 10; ++i) tell_each(world, 20, "a", 1'000);
  EXPECT_GT(world.figures().closed_outboxes, 10u);
  EXPECT_EQ(peers[0]->read().hears().at(1),
            "ERROR message=More waits for all clients together than the limit "
            "stomp_outboxes_bytes");
}

TEST(Outboxes, AreNotPassedByThoseWhoHoldUpTheirSenders) {
  World world(together());
  const auto peers = stalled(world, 3, "a", "|x-overflow:block");
  for (int i = 0; i < 60; ++i) {
    Peer& sends = world.client().connect();
    sends.sends("SEND|destination:a." + std::to_string(i % 3) + "||" + std::string(5'000, 'x'));
    ASSERT_LE(world.figures().outboxes_bytes, all);
  }
  EXPECT_GT(world.figures().blocked + world.figures().closed_outboxes, 0u);
}

TEST(Outboxes, TellWhatWasDroppedOnceThereIsRoomThoughNothingElseComes) {
  World world(together());
  const auto peers = stalled(world, 200, "a", "|x-overflow:drop-oldest");
  for (int i = 0; i < 30; ++i) tell_each(world, 200, "a", 400);
  Peer& reads = subscribe(world, "b", "|x-overflow:drop-oldest");
  world.publish({"b", {}, std::string(all / 2, 'x')}, to("b"));
  EXPECT_EQ(reads.hears(), Lines{}) << "there is no room for it";
  for (Peer* peer : peers) peer->read();
  world.pass(200ms);
  EXPECT_EQ(reads.hears(), (Lines{"MESSAGE subscription=s destination=overflow [1]"}));
}

TEST(Outboxes, HoldALargeMessageUntilItsLastPieceIsWritten) {
  World world;
  Peer& peer = subscribe(world, "a").stop_reading();
  const std::string body(1'000'000, 'x');
  world.publish({"a", {}, body}, to("a"));
  std::string first = peer.writes().at(0);
  EXPECT_LT(first.size(), 80'000u) << "the rest is shared with all others";
  EXPECT_GT(world.figures().outboxes_bytes, body.size());
  world.publish({"a", {}, "next"}, to("a"));
  peer.sends("UNSUBSCRIBE|id:s|receipt:r");
  peer.read();
  std::string whole = first;
  for (const std::string& piece : peer.writes()) {
    EXPECT_LT(piece.size(), 150'000u);
    whole += piece;
  }
  const std::size_t begin = whole.find("\n\n") + 2;
  EXPECT_EQ(whole.substr(begin, body.size() + 1), body + '\0');
  EXPECT_EQ(whole.substr(begin + body.size() + 1, 7), "RECEIPT");
  EXPECT_EQ(world.figures().outboxes_bytes, 0u);
  EXPECT_EQ(world.figures().messages_out, 1u);
}

// Against a naive sum over what each holds.
TEST(Outboxes, CountRightWhateverIsQueuedWrittenAndDropped) {
  const char* given = std::getenv("DOCTOR_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device()();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  Outboxes outboxes;
  const auto subscription = std::make_shared<Subscription>();
  const auto message = [&] {
    return std::make_shared<const Publication>(Message{"a", {}, std::string(random() % 300, 'x')},
                                               Reach::subscribers, std::nullopt, false);
  };
  std::vector<PublicationPtr> publications;
  for (int i = 0; i < 5; ++i) publications.push_back(message());
  struct Held {
    PublicationPtr publication;  // null: another frame, of one octet
    bool may_be_dropped;
  };
  std::vector<std::unique_ptr<Outbox>> all_of_them(4);
  std::vector<std::deque<Held>> held(4);
  std::vector<std::optional<Held>> writing(4);
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t i = random() % all_of_them.size();
    auto& outbox = all_of_them[i];
    if (!outbox) outbox = std::make_unique<Outbox>(outboxes);
    switch (random() % 16) {
      case 0:
        outbox->clear_messages();
        std::erase_if(held[i], [](const Held& one) { return one.publication != nullptr; });
        break;
      case 1:
        outbox.reset();
        held[i].clear();
        writing[i].reset();
        break;
      case 2:
        publications[random() % publications.size()] = message();
        break;
      case 3: {
        outbox->drop_oldest();
        const auto found = std::find_if(held[i].begin(), held[i].end(),
                                        [](const Held& one) { return one.may_be_dropped; });
        if (found != held[i].end()) held[i].erase(found);
        break;
      }
      case 4:
      case 5:
      case 6:
        if (writing[i]) {
          outbox->written();
          writing[i].reset();
        } else if (outbox->next() != nullptr) {
          writing[i] = held[i].front();
          held[i].pop_front();
        }
        break;
      default: {
        if (held[i].size() > 30) break;
        Held one{random() % 4 == 0 ? nullptr : publications[random() % publications.size()],
                 random() % 2 == 0};
        if (one.publication) {
          outbox->push({{}, subscription, one.publication, 1, one.may_be_dropped});
        } else {
          one.may_be_dropped = false;
          outbox->push({"x", nullptr, nullptr, 0, false});
        }
        held[i].push_back(std::move(one));
      }
    }
    std::size_t expected = 0;
    std::map<const Publication*, std::size_t> distinct;
    const auto count = [&](const Held& one) {
      expected += sizeof(Outbox::Entry) + (one.publication ? 0 : 1);
      if (one.publication) distinct[one.publication.get()] = one.publication->memory();
    };
    for (const auto& queue : held) std::for_each(queue.begin(), queue.end(), count);
    for (const auto& one : writing) {
      if (one) count(*one);
    }
    for (const auto& [publication, size] : distinct) expected += size;
    ASSERT_EQ(outboxes.bytes(), expected) << "after step " << step;
  }
}

}  // namespace
}  // namespace doctor::stomp::testing
