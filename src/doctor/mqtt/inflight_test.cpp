#include "doctor/mqtt/inflight.hpp"

#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace doctor::mqtt {
namespace {

Message message(std::string_view topic, QoS qos = QoS::exactly_once) {
  Publish publish;
  publish.topic = topic;
  return {Publication::of_client(publish, Clock::time_point{}), qos, false, false, nullptr};
}

std::vector<std::uint16_t> order(const Inflight& inflight) {
  std::vector<std::uint16_t> ids;
  inflight.for_each([&](const Inflight::Sent& sent) { ids.push_back(sent.packet_id); });
  return ids;
}

using Ids = std::vector<std::uint16_t>;

TEST(Inflight, PacketIdentifiersCountUpFromOne) {
  Inflight inflight;
  EXPECT_EQ(inflight.add(message("a")).packet_id, 1);
  EXPECT_EQ(inflight.add(message("b")).packet_id, 2);
  inflight.remove(1);
  EXPECT_EQ(inflight.add(message("c")).packet_id, 3)
      << "one that was just given back is not the next";
  EXPECT_EQ(order(inflight), (Ids{2, 3}));
}

TEST(Inflight, WhatWasReceivedKeepsItsIdentifierNotItsMessage) {
  Inflight inflight;
  const auto id = inflight.add(message("a")).packet_id;
  EXPECT_GT(inflight.bytes(), 0u);
  inflight.receive(id);
  ASSERT_NE(inflight.find(id), nullptr);
  EXPECT_TRUE(inflight.find(id)->received);
  EXPECT_EQ(inflight.find(id)->message.publication, nullptr);
  EXPECT_EQ(inflight.bytes(), 0u);
  inflight.remove(id);
  EXPECT_EQ(inflight.find(id), nullptr);
  EXPECT_TRUE(inflight.empty());
}

TEST(Inflight, AllIdentifiersCanBeInUse) {  // [MQTT-2.2.1-4]
  Inflight inflight;
  for (int i = 1; i <= 65'535; ++i) ASSERT_EQ(inflight.add(message("a")).packet_id, i);
  EXPECT_EQ(inflight.size(), 65'535u);
  inflight.remove(300);
  inflight.remove(65'535);
  EXPECT_EQ(inflight.add(message("b")).packet_id, 300);
  EXPECT_EQ(inflight.add(message("c")).packet_id, 65'535);
  EXPECT_EQ(order(inflight).back(), 65'535);
  EXPECT_EQ(inflight.find(0), nullptr);
}

TEST(Inflight, OneThatIsNeverAcknowledgedIsPassedByAndCostsNoMoreThanItself) {
  Inflight inflight;
  EXPECT_EQ(inflight.add(message("stuck")).packet_id, 1);
  for (int i = 0; i < 200'000; ++i) {
    const auto id = inflight.add(message("a")).packet_id;
    ASSERT_NE(id, 1);
    inflight.remove(id);
  }
  EXPECT_EQ(order(inflight), (Ids{1}));
}

TEST(Inflight, IsAListByTheOrderOfSendingWhateverIsAcknowledged) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Inflight inflight;
  std::vector<std::uint16_t> model;
  for (int step = 0; step < 300'000; ++step) {
    if (model.size() < 200 && random() % 2 == 0) {
      const auto id = inflight.add(message("a")).packet_id;
      ASSERT_EQ(std::count(model.begin(), model.end(), id), 0) << "in use";
      model.push_back(id);
    } else if (!model.empty()) {
      // Mostly the oldest; the very first one hardly ever.
      const std::size_t at =
          random() % 4 != 0 ? std::min<std::size_t>(1, model.size() - 1) : random() % model.size();
      ASSERT_NE(inflight.find(model[at]), nullptr);
      inflight.remove(model[at]);
      ASSERT_EQ(inflight.find(model[at]), nullptr);
      model.erase(model.begin() + static_cast<std::ptrdiff_t>(at));
    }
    ASSERT_EQ(inflight.size(), model.size());
    if (step % 1000 == 0) {
      ASSERT_EQ(order(inflight), model);
    }
  }
}

}  // namespace
}  // namespace doctor::mqtt
