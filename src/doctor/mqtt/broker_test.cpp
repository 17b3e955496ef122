#include <gtest/gtest.h>

#include "doctor/mqtt/test_broker.hpp"

namespace doctor::mqtt::testing {
namespace {

constexpr Version v3 = Version::v3_1_1;
constexpr Version v5 = Version::v5_0;

TEST(Broker, ASubscriberHearsWhatACommitChanged) {
  World world;
  Peer& client = world.client("c1").as_connector().connect(v5).subscribe("vm/#", 1);
  client.quiet();
  world.commit({created("vm", "1"), updated("vm", "2", {"status", "name"}), removed("vm", "3")});
  EXPECT_EQ(client.hears(), (Lines{"q1 #1 vm/1 + revision=1", "q1 #2 vm/2 status,name revision=1",
                                   "q1 #3 vm/3 - revision=1 commit=end"}));
}

TEST(Broker, A311SubscriberHearsTheSameWithoutProperties) {
  World world;
  Peer& client = world.client("c1").as_connector().connect(v3).subscribe("vm/#", 1);
  EXPECT_EQ(client.hears(), (Lines{"CONNACK 0x00", "SUBACK #1 0x01"}));
  world.commit({created("vm", "1")});
  EXPECT_EQ(client.hears(), (Lines{"q1 #1 vm/1 +"}));
}

}  // namespace
}  // namespace doctor::mqtt::testing
