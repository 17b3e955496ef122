#include "doctor/client/flow.hpp"

#include <gtest/gtest.h>

#include "doctor/client/test_flow.hpp"

namespace doctor::client {
namespace {

using namespace std::chrono_literals;

SubscriptionOptions at_most(std::size_t events, Overflow overflow = Overflow::drop_oldest) {
  SubscriptionOptions options;
  options.max_events = events;
  options.overflow = overflow;
  return options;
}

class Buffering : public testing::Test {
 protected:
  void with(const SubscriptionOptions& options) {
    test = std::make_unique<TestFlow>(options);
    test->start();
    test->subscriber->heard();
  }
  std::unique_ptr<TestFlow> test;
};

TEST_F(Buffering, TheOldestAreDroppedAndTheirNumberIsToldBeforeTheNextEvent) {
  with(at_most(3));
  test->push(1, 5);
  EXPECT_EQ(test->heard(), Signals());
  EXPECT_EQ(test->flow->dropped(), 2u);
  test->request(2);
  EXPECT_EQ(test->heard(), (Signals{"dropped 2", "next 3", "next 4"}));
  test->push(6, 9);
  test->request(3);
  EXPECT_EQ(test->heard(), (Signals{"dropped 2", "next 7", "next 8", "next 9"}));
}

TEST_F(Buffering, WhatIsInTheHandIsStillTheOldest) {
  with(at_most(3));
  test->push(1, 3);
  test->request(1);
  EXPECT_EQ(test->heard(), Signals{"next 1"});  // 2 and 3 were taken at the same time
  test->push(4, 5);
  EXPECT_EQ(test->flow->dropped(), 1u);
  test->request(3);
  EXPECT_EQ(test->heard(), (Signals{"dropped 1", "next 3", "next 4", "next 5"}));
  EXPECT_EQ(test->flow->dropped(), 1u);
}

TEST_F(Buffering, AllOfTheHandCanBeDropped) {
  with(at_most(3));
  test->push(1, 3);
  test->request(1);
  test->heard();
  test->push(4, 9);
  test->request(9);
  EXPECT_EQ(test->heard(), (Signals{"dropped 5", "next 7", "next 8", "next 9"}));
}

TEST_F(Buffering, AnEventStaysAsLongAsItIsGivenOut) {
  with(at_most(3));
  test->subscriber->then = [&](const std::string& signal) {
    test->push(1, 9);
    test->flow->purge(test->deliveries->now());
    if (signal == "next 5") test->cancel();
  };
  test->push(5, 5);
  test->request(9);
  EXPECT_EQ(test->heard(), (Signals{"next 5", "complete"}));
}

TEST_F(Buffering, OctetsAreBoundedToo) {
  SubscriptionOptions options;
  options.max_octets = 3 * TestFlow().event("1").size();
  with(options);
  test->push(1, 5);
  test->request(9);
  EXPECT_EQ(test->heard(), (Signals{"dropped 2", "next 3", "next 4", "next 5"}));
  test->push(1, 3);
  test->request(1);
  test->heard();
  test->push(4, 5);
  test->request(9);
  EXPECT_EQ(test->heard().back(), "next 5");
}

TEST_F(Buffering, AnEventLargerThanTheBufferIsDroppedItself) {
  SubscriptionOptions options;
  options.max_octets = TestFlow().event("1").size();
  with(options);
  test->flow->push(test->event(std::string(1000, 'x')));
  test->push(1, 1);
  test->request(9);
  EXPECT_EQ(test->heard(), (Signals{"dropped 1", "next 1"}));
}

TEST_F(Buffering, ADropAloneWakesNobody) {
  with(at_most(1));
  test->push(1, 5);
  EXPECT_EQ(test->deliveries->size(), 0u);
}

TEST_F(Buffering, AThatPausesIsFullBeforeItMustDrop) {
  with(at_most(4, Overflow::pause));
  test->push(1, 3);
  EXPECT_FALSE(test->flow->is_full());
  test->push(4, 4);
  EXPECT_TRUE(test->flow->is_full());
  EXPECT_EQ(test->room, 0);
  test->request(1);
  test->heard();
  EXPECT_EQ(test->room, 0);
  test->request(1);
  EXPECT_EQ(test->heard(), Signals{"next 2"});
  EXPECT_EQ(test->room, 1);
  EXPECT_FALSE(test->flow->is_full());
}

TEST_F(Buffering, OneThatDropsIsNeverFull) {
  with(at_most(2));
  test->push(1, 5);
  EXPECT_FALSE(test->flow->is_full());
}

TEST_F(Buffering, WhoCancelsIsNotFull) {
  with(at_most(1, Overflow::pause));
  test->push(1, 1);
  EXPECT_TRUE(test->flow->is_full());
  test->cancel();
  EXPECT_FALSE(test->flow->is_full());
}

class Ageing : public Buffering {
 protected:
  void SetUp() override {
    SubscriptionOptions options;
    options.max_age = 3h;
    with(options);
  }
};

TEST_F(Ageing, NothingTooOldIsDelivered) {
  test->push(1, 1);
  test->deliveries->pass(1h);
  test->push(2, 2);
  test->deliveries->pass(2h + 1ms);
  test->request(9);
  EXPECT_EQ(test->heard(), (Signals{"dropped 1", "next 2"}));
}

TEST_F(Ageing, NorWhatIsInTheHand) {
  test->push(1, 3);
  test->request(1);
  EXPECT_EQ(test->heard(), Signals{"next 1"});
  test->deliveries->pass(3h + 1ms);
  test->push(4, 4);
  test->request(9);
  EXPECT_EQ(test->heard(), (Signals{"dropped 2", "next 4"}));
}

TEST_F(Ageing, AnEventThatIsTooOldSpendsNoDemand) {
  test->request(1);
  test->flow->push(test->event("1"));
  test->deliveries->pass(4h);
  test->push(2, 2);
  EXPECT_EQ(test->heard(), (Signals{"dropped 1", "next 2"}));
}

TEST_F(Ageing, APurgeLeavesTheYoung) {
  test->push(1, 5);
  test->deliveries->pass(2h);
  test->push(6, 7);
  test->deliveries->pass(2h);
  test->flow->purge(test->deliveries->now());
  EXPECT_EQ(test->flow->dropped(), 5u);
  EXPECT_EQ(test->deliveries->size(), 0u);
}

class Losing : public Buffering {
 protected:
  void SetUp() override { with({}); }
};

TEST_F(Losing, ALossIsToldAheadOfWhatWaitsAndSpendsNoDemand) {
  test->push(1, 2);
  test->flow->disconnected(error(Code::communication, "gone"));
  EXPECT_EQ(test->heard(), Signals{"disconnected gone"});
  test->flow->reconnected(Gap{5ms});
  test->request(1);
  EXPECT_EQ(test->heard(), (Signals{"reconnected 5", "next 1"}));
}

TEST_F(Losing, ACancelFromInsideIsHeardBeforeTheNextSignal) {
  test->flow->disconnected(error(Code::communication, "gone"));
  test->flow->reconnected(Gap{5ms});
  test->subscriber->then = [&](const std::string& signal) {
    if (signal == "disconnected gone") test->cancel();
  };
  EXPECT_EQ(test->heard(), (Signals{"disconnected gone", "complete"}));
}

TEST_F(Losing, WhoDoesNotListenForLongHearsOfTheLastOutages) {
  for (int i = 0; i < 50; ++i) {
    test->flow->disconnected(error(Code::communication, std::to_string(i)));
    test->flow->reconnected(Gap{std::chrono::milliseconds(i)});
  }
  EXPECT_EQ(test->heard(),
            (Signals{"disconnected 48", "reconnected 48", "disconnected 49", "reconnected 49"}));
}

TEST_F(Losing, OthersThatShareTheThreadComeInBetween) {
  test->push(1, 5'000);
  test->request(5'000);
  bool other_ran = false;
  class Other final : public Task {
   public:
    explicit Other(std::function<void()> act) : act_(std::move(act)) {}
    void run() override { act_(); }

   private:
    std::function<void()> act_;
  };
  test->deliveries->post(std::make_shared<Other>([&] {
    other_ran = true;
    EXPECT_LT(test->subscriber->heard().size(), 5'000u);
  }));
  test->deliveries->run();
  EXPECT_TRUE(other_ran);
}

}  // namespace
}  // namespace doctor::client
