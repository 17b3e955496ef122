#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/stomp/test_broker.hpp"

// A client that reads as oVirt's Java client was seen to, with its faults, and a network that puts
// together what is written within a short time.
namespace doctor::stomp::testing {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

/// Takes one frame a read: what shares a read with an earlier frame waits for one more octet. It
/// needs content-length and a header block of at most 1024 octets; lone octets stay in a buffer of
/// that size until a frame comes, and when it is full nothing is read any more.
class JavaReader {
 public:
  void read(std::string_view bytes) {
    if (is_deaf_) return;
    buffer_ += bytes;
    const std::size_t begin = std::min(buffer_.find_first_not_of('\n'), buffer_.size());
    const std::size_t headers = buffer_.find("\n\n", begin);
    if (headers == buffer_.npos) {
      is_deaf_ = buffer_.size() >= 1'024;
      return;
    }
    ASSERT_LE(headers - begin, 1'024u);
    const std::size_t length = buffer_.find("content-length:", begin);
    ASSERT_LT(length, headers);
    const std::size_t body = headers + 2;
    const std::size_t size = std::stoul(buffer_.substr(length + 15));
    if (buffer_.size() <= body + size) return;
    ASSERT_EQ(buffer_[body + size], '\0');
    bodies_.push_back(buffer_.substr(body, size));
    buffer_.erase(0, body + size + 1);
  }
  const std::vector<std::string>& bodies() const { return bodies_; }

 private:
  std::string buffer_;
  bool is_deaf_ = false;
  std::vector<std::string> bodies_;
};

class OvirtReader : public ::testing::Test {
 protected:
  void SetUp() override {
    engine_.open();
    engine_.send_bytes(
        "SUBSCRIBE\nid:aaaaaaaa-0000-4000-8000-000000000001\ndestination:jms.topic.vdsm_responses\n"
        "ack:auto\n\n\0"sv);
    engine_.send_bytes(
        "CONNECT\naccept-version:1.2\nhost:null\nheart-beat:0,30000\n\n\0"
        "SUBSCRIBE\nid:aaaaaaaa-0000-4000-8000-000000000002\ndestination:jms.queue.events\n"
        "ack:auto\n\n\0"sv);
    EXPECT_EQ(engine_.hears(), (Lines{"CONNECTED version=1.2 heart-beat=30000,0"}));
    world_.pass(1s);
    engine_.quiet();
    host_.connect();
  }

  void event(int number) {
    host_.sends("SEND|destination:jms.queue.events||" + std::to_string(number));
    expected_.push_back(std::to_string(number));
  }

  /// What was written since the last time arrives, in one read.
  void arrive() {
    std::string together;
    for (const std::string& write : engine_.writes()) together += write;
    if (!together.empty()) reader_.read(together);
  }

  World world_;
  Peer& engine_ = world_.client();
  Peer& host_ = world_.client();
  JavaReader reader_;
  std::vector<std::string> expected_;
};

TEST_F(OvirtReader, HearsAllOfABurstThatComesInOneRead) {
  for (int i = 0; i < 10; ++i) event(i);
  arrive();
  EXPECT_EQ(reader_.bodies().size(), 1u) << "so it would stay without more";
  for (int i = 0; i < 20; ++i) {
    world_.pass(20ms);
    arrive();
  }
  EXPECT_EQ(reader_.bodies(), expected_);
}

TEST_F(OvirtReader, HearsAllOfBurstsThatFollowEachOther) {
  for (int burst = 0; burst < 20; ++burst) {
    for (int i = 0; i < burst; ++i) event(i);
    arrive();
    world_.pass(30ms);
    arrive();
  }
  for (int i = 0; i < 400; ++i) {
    world_.pass(20ms);
    arrive();
  }
  EXPECT_EQ(reader_.bodies(), expected_);
}

TEST_F(OvirtReader, IsNotMadeDeafByLoneLfs) {
  for (int i = 0; i < 900; ++i) event(i);
  for (const std::string& write : engine_.writes()) reader_.read(write);  // each by itself
  world_.pass(60s);
  for (const std::string& write : engine_.writes()) reader_.read(write);
  event(900);
  arrive();
  EXPECT_EQ(reader_.bodies(), expected_);
}

}  // namespace
}  // namespace doctor::stomp::testing
