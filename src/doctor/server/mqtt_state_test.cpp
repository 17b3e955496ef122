#include "doctor/server/mqtt_state.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <unistd.h>

#include <gtest/gtest.h>

namespace doctor::server {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Timestamp noon{1'704'110'400'000};  // 2024-01-01T12:00:00Z
constexpr std::uint64_t map_size = 1u << 28;

class MqttStateTest : public testing::Test {
 protected:
  MqttStateTest() { fs::create_directories(directory_); }
  ~MqttStateTest() override { fs::remove_all(directory_); }

  using Records = std::map<std::string, std::string>;
  Records read() const {
    MqttState state(path_, "01234567", map_size);
    const auto records = state.read(noon);
    EXPECT_TRUE(records) << records.error().detail;
    Records all;
    for (const auto& record : *records) all.emplace(record.key, record.value.value());
    return all;
  }
  void start(MqttState& state) {
    state.start([this](std::uint64_t batch) {
      const std::scoped_lock lock(mutex_);
      written_ = batch;
      changed_.notify_all();
    });
  }
  /// Whether a batch has become durable within the time.
  bool wait_for(std::uint64_t batch, std::chrono::milliseconds patience = 20s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return written_ >= batch; });
  }
  std::vector<fs::path> set_aside() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.path().string().find(".damaged-") != std::string::npos) {
        found.push_back(entry.path());
      }
    }
    return found;
  }

  const fs::path directory_ =
      fs::temp_directory_path() / ("doctor-mqtt-state-" + std::to_string(::getpid()));
  const fs::path path_ = directory_ / "mqtt.mdb";
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t written_ = 0;
};

TEST_F(MqttStateTest, ABatchIsDurableWhenItIsToldAsWritten) {
  MqttState state(path_, "01234567", map_size);
  start(state);
  for (std::uint64_t batch = 1; batch <= 20; ++batch) {
    const std::string number = std::to_string(batch);
    state.write({batch, {{"newest", number}, {number, "there"}}});
    ASSERT_TRUE(wait_for(batch));
    const Records now = read();
    EXPECT_EQ(now.at("newest"), number);
    EXPECT_EQ(now.size(), batch + 1);
  }
  state.write({21, {{"newest", std::nullopt}}});
  ASSERT_TRUE(wait_for(21));
  EXPECT_EQ(read().count("newest"), 0u);
  const auto figures = state.figures();
  EXPECT_EQ(figures.batches, 21u);
  EXPECT_EQ(figures.records, 41u);
  EXPECT_EQ(figures.waiting, 0u);
  EXPECT_EQ(figures.failures, 0u);
  EXPECT_GT(figures.bytes, 200u);
  EXPECT_GT(figures.size_on_disk, 0u);
}

TEST_F(MqttStateTest, ABatchWithoutRecordsIsDurableToo) {
  MqttState state(path_, "01234567", map_size);
  start(state);
  state.write({1, {}});
  EXPECT_TRUE(wait_for(1));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(MqttStateTest, WhatWaitsIsWrittenAtTheEnd) {
  MqttState state(path_, "01234567", map_size);
  start(state);
  state.write({1, {{"a", "1"}}});
  state.stop(Clock::now());
  EXPECT_EQ(written_, 1u);
  EXPECT_EQ(read(), (Records{{"a", "1"}}));
}

TEST_F(MqttStateTest, ABatchIsTriedAgainAndNotToldAsWrittenBeforeItIs) {
  fs::remove_all(directory_);  // where nothing can be written
  MqttState state(path_, "01234567", map_size);
  start(state);
  EXPECT_TRUE(state.is_idle());
  state.write({1, {{"a", "1"}, {"b", std::nullopt}}});
  while (state.figures().failures == 0) std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(state.is_idle());
  EXPECT_FALSE(state.wait_until_idle(Clock::now()));
  EXPECT_EQ(state.figures().waiting, 2u);
  EXPECT_FALSE(wait_for(1, 1ms));

  fs::create_directories(directory_);
  EXPECT_TRUE(state.wait_until_idle(Clock::now() + 20s));
  ASSERT_TRUE(wait_for(1));
  EXPECT_EQ(read(), (Records{{"a", "1"}}));
  EXPECT_EQ(state.figures().waiting, 0u);
}

TEST_F(MqttStateTest, TheEndComesInTimeAlthoughNothingCanBeWritten) {
  fs::remove_all(directory_);
  MqttState state(path_, "01234567", map_size);
  start(state);
  state.write({1, {{"a", "1"}}});
  state.stop(Clock::now() + 50ms);
  EXPECT_EQ(written_, 0u);
}

TEST_F(MqttStateTest, AFileThatCannotBeUsedIsSetAsideAndTheNextBeginsEmpty) {
  std::ofstream(path_) << "not a file of ours";
  EXPECT_EQ(read(), Records());
  ASSERT_EQ(set_aside().size(), 1u);
  EXPECT_EQ(fs::file_size(set_aside().front()), 18u);
  EXPECT_FALSE(fs::exists(path_));
  {
    MqttState state(path_, "01234567", map_size);
    start(state);
    state.write({1, {{"a", "1"}}});
    ASSERT_TRUE(wait_for(1));
  }
  // Of another store.
  MqttState state(path_, "89abcdef", map_size);
  EXPECT_TRUE(state.read(noon)->empty());
  EXPECT_EQ(set_aside().size(), 2u);
}

TEST_F(MqttStateTest, AFileThatTheBrokerRefusesCanBeSetAsideToo) {
  MqttState state(path_, "01234567", map_size);
  start(state);
  state.write({1, {{"a", "1"}}});
  ASSERT_TRUE(wait_for(1));
  state.stop(Clock::now());
  MqttState next(path_, "01234567", map_size);
  ASSERT_EQ(next.read(noon)->size(), 1u);
  ASSERT_TRUE(next.set_aside(invalid("it is from the future"), noon));
  EXPECT_EQ(read(), Records());
}

}  // namespace
}  // namespace doctor::server
