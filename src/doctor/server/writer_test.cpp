#include "doctor/server/writer.hpp"

#include <deque>

#include <gtest/gtest.h>

namespace doctor::server {
namespace {

// A connection that has only this to say, and remembers what its writer told it.
class Speaker : public std::enable_shared_from_this<Speaker> {
 public:
  Speaker(Socket socket, SlowWrites& slow_writes)
      : stream_(std::move(socket), nullptr), writer_(*this, stream_, slow_writes) {}

  void say(std::size_t size) { pieces_.push_back(std::string(size, 'x')); }

  std::string_view next_piece() {
    if (pieces_.empty()) return {};
    piece_ = std::move(pieces_.front());
    pieces_.pop_front();
    return piece_;
  }
  void nothing_left() {
    if (ends_) writer_.end();
  }
  void taken() { ++taken_; }
  void resumed() { ++resumed_; }
  void abort() {
    aborted_ = true;
    stream_.close();
  }

  Stream stream_;
  Writer<Speaker> writer_;
  std::deque<std::string> pieces_;
  bool ends_ = false;
  int taken_ = 0;
  int resumed_ = 0;
  bool aborted_ = false;

 private:
  std::string piece_;
};

// A Speaker over loopback, and its peer, which reads only when it is told to.
class Writing : public testing::Test {
 protected:
  Writing() : peer_(context_.get_executor(), asio::ip::tcp::v4()) {
    constexpr int small = 8192;
    Acceptor acceptor(context_.get_executor(), {asio::ip::address_v4::loopback(), 0});
    peer_.set_option(Socket::receive_buffer_size(small));
    acceptor.set_option(Acceptor::send_buffer_size(small));
    peer_.connect(acceptor.local_endpoint());
    speaker_ = std::make_shared<Speaker>(acceptor.accept(), slow_writes_);
    peer_.non_blocking(true);
  }

  // Whatever is ready now.
  void run() {
    context_.restart();
    context_.poll();
  }
  std::size_t peer_reads(std::size_t at_most = 1u << 20) {
    std::string room(at_most, '\0');
    error_code failure;
    const std::size_t count = peer_.read_some(asio::buffer(room), failure);
    ended_ = failure == asio::error::eof;
    return count;
  }
  // Until the speaker has written everything and the peer read it.
  std::size_t peer_reads_all(std::size_t size) {
    std::size_t count = 0;
    for (const auto end = Clock::now() + std::chrono::seconds(20);
         count < size && Clock::now() < end;) {
      count += peer_reads();
      run();
    }
    return count;
  }

  asio::io_context context_{1};
  SlowWrites slow_writes_;
  Socket peer_;
  std::shared_ptr<Speaker> speaker_;
  bool ended_ = false;
};

TEST_F(Writing, WhatTheSocketTakesAtOnceIsWrittenAtOnce) {
  for (int i = 0; i < 3; ++i) speaker_->say(10);
  speaker_->writer_.write();
  EXPECT_EQ(peer_reads_all(30), 30u);
  EXPECT_EQ(speaker_->taken_, 0);
  EXPECT_EQ(speaker_->resumed_, 0);
}

TEST_F(Writing, OthersHaveATurnBetweenFourPieces) {
  for (int i = 0; i < 6; ++i) speaker_->say(10);
  speaker_->writer_.write();
  EXPECT_EQ(speaker_->pieces_.size(), 2u);
  speaker_->writer_.write();  // it goes on by itself, and only then
  EXPECT_EQ(speaker_->pieces_.size(), 2u);
  run();
  EXPECT_EQ(speaker_->pieces_.size(), 0u);
  EXPECT_EQ(speaker_->resumed_, 1);
}

TEST_F(Writing, NoOtherPieceIsAskedForUntilOneHasGone) {
  constexpr std::size_t large = 4u << 20;
  speaker_->say(large);
  speaker_->say(1);
  speaker_->writer_.write();
  run();
  speaker_->writer_.write();
  EXPECT_EQ(speaker_->pieces_.size(), 1u);
  EXPECT_EQ(peer_reads_all(large + 1), large + 1);
  EXPECT_EQ(speaker_->pieces_.size(), 0u);
  EXPECT_GE(speaker_->taken_, 1);
  EXPECT_EQ(speaker_->resumed_, 1);
}

TEST_F(Writing, ASlowReaderIsSeenToRead) {
  speaker_->say(4u << 20);
  speaker_->writer_.write();
  run();
  Clock::time_point now{std::chrono::hours(1)};
  slow_writes_.look(now);  // how much there is at first
  // It reads less than the socket would have to be free of to be written again: nothing else tells.
  for (int i = 0; i < 1000 && speaker_->taken_ == 0; ++i) {
    peer_reads(1024);
    slow_writes_.look(now += SlowWrites::interval);
  }
  EXPECT_GE(speaker_->taken_, 1);
}

TEST_F(Writing, WhoReadsNothingIsNotSeenToRead) {
  speaker_->say(4u << 20);
  speaker_->writer_.write();
  run();
  const int taken = speaker_->taken_;
  Clock::time_point now{std::chrono::hours(1)};
  for (int i = 0; i < 10; ++i) slow_writes_.look(now += SlowWrites::interval);
  EXPECT_EQ(speaker_->taken_, taken);
}

TEST_F(Writing, SlowWritesAreLookedAtInTheirInterval) {
  class Counting final : public SlowWrite {
   public:
    bool look() override { return ++looks_ < 2; }
    int looks_ = 0;
  } write;
  slow_writes_.add(write);
  slow_writes_.add(write);
  const Clock::time_point now{std::chrono::hours(1)};
  slow_writes_.look(now);
  slow_writes_.look(now + SlowWrites::interval / 2);
  EXPECT_EQ(write.looks_, 1);
  slow_writes_.look(now + SlowWrites::interval);
  slow_writes_.look(now + 3 * SlowWrites::interval);  // it has said that there is nothing to see
  EXPECT_EQ(write.looks_, 2);
}

TEST_F(Writing, TheEndComesBehindTheLastOctet) {
  constexpr std::size_t large = 1u << 20;
  speaker_->say(large);
  speaker_->ends_ = true;
  speaker_->writer_.write();
  EXPECT_FALSE(speaker_->writer_.ended());
  EXPECT_EQ(peer_reads_all(large), large);
  EXPECT_TRUE(speaker_->writer_.ended());
  for (int i = 0; i < 1000 && !ended_; ++i) peer_reads();
  EXPECT_TRUE(ended_);
  speaker_->say(1);
  speaker_->writer_.write();
  EXPECT_EQ(speaker_->pieces_.size(), 1u);
}

TEST_F(Writing, AFailureIsToldOnce) {
  speaker_->say(4u << 20);
  speaker_->writer_.write();
  run();
  peer_.set_option(Socket::linger(true, 0));
  peer_.close();
  for (int i = 0; i < 1000 && !speaker_->aborted_; ++i) run();
  EXPECT_TRUE(speaker_->aborted_);
  EXPECT_EQ(speaker_->resumed_, 0);
}

TEST_F(Writing, TheConnectionLivesUntilItsWriteHasEnded) {
  speaker_->say(4u << 20);
  speaker_->writer_.write();
  run();
  const std::weak_ptr<Speaker> watched = speaker_;
  speaker_.reset();
  EXPECT_FALSE(watched.expired());
  peer_.close();
  for (int i = 0; i < 1000 && !watched.expired(); ++i) run();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace doctor::server
