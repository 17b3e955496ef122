#include <limits>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "doctor/client/publisher.hpp"
#include "doctor/client/test_flow.hpp"

// The rules of Reactive Streams 1.0.4 that this library can keep or break; docs/reactive-streams.md
// goes through all of them.
namespace doctor::client {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

class Rule : public testing::Test {
 protected:
  void SetUp() override {
    test.start();
    EXPECT_EQ(test.subscriber->heard(), Signals{"subscribed"});
  }
  TestFlow test;
};

TEST_F(Rule, R1_01_NeverMoreEventsThanWereRequested) {
  test.push(1, 15);
  EXPECT_EQ(test.heard(), Signals());
  test.request(1);
  EXPECT_EQ(test.heard(), Signals{"next 1"});
  test.request(10);
  EXPECT_EQ(test.heard().size(), 10u);
}

TEST_F(Rule, R1_02_FewerMayComeThanWereRequestedBeforeTheEnd) {
  test.request(10);
  test.push(1, 1);
  EXPECT_EQ(test.heard(), Signals{"next 1"});
  test.flow->complete();
  EXPECT_EQ(test.heard(), Signals{"complete"});
}

TEST_F(Rule, R1_03_SignalsAreSerial) {
  bool inside = false;
  int left = 20;
  test.subscriber->then = [&](const std::string&) {
    EXPECT_FALSE(inside);
    inside = true;
    test.request(1);
    if (--left > 0) test.push(left, left);
    // Only one task is ever queued for a flow: no second thread could run it meanwhile.
    EXPECT_EQ(test.deliveries->size(), 0u);
    inside = false;
  };
  test.request(1);
  test.push(20, 20);
  EXPECT_EQ(test.deliveries->size(), 1u);
  EXPECT_EQ(test.heard().size(), 20u);
}

TEST_F(Rule, R1_04_AFailureIsToldByOnError) {
  test.flow->fail(error(Code::communication, "gone"));
  EXPECT_EQ(test.heard(), Signals{"error 5022"});
}

TEST_F(Rule, R1_05_AnEndInOrderIsToldByOnComplete) {
  test.flow->complete();
  EXPECT_EQ(test.heard(), Signals{"complete"});
}

TEST_F(Rule, R1_06_AfterTheEndTheSubscriptionIsCancelled) {
  test.flow->complete();
  EXPECT_EQ(test.ended, 1);
  test.heard();
  test.cancel();
  test.request(1);
  EXPECT_EQ(test.heard(), Signals());
  EXPECT_EQ(test.ended, 1);
}

TEST_F(Rule, R1_07_AfterTheEndThereIsNoSignal) {
  test.request(5);
  test.flow->complete();
  test.flow->fail(error(Code::internal, "late"));
  test.flow->disconnected(error(Code::communication, "late"));
  test.push(1, 5);
  EXPECT_EQ(test.heard(), Signals{"complete"});
  test.flow->fail(error(Code::internal, "later"));
  EXPECT_EQ(test.heard(), Signals());
}

TEST_F(Rule, R1_08_R3_12_AfterACancelNoEventComes) {
  test.push(1, 5);
  test.request(2);
  test.subscriber->then = [&](const std::string& signal) {
    if (signal == "next 1") test.cancel();
  };
  EXPECT_EQ(test.heard(), (Signals{"next 1", "complete"}));
  test.push(6, 6);
  EXPECT_EQ(test.heard(), Signals());
}

TEST(RuleOfSubscribe, R1_09_OnSubscribeComesFirstAndInsideSubscribe) {
  TestFlow test;
  test.push(1, 1);
  test.flow->request(1);
  EXPECT_EQ(test.heard(), Signals());
  test.start();
  EXPECT_EQ(test.heard(), (Signals{"subscribed", "next 1"}));
}

TEST(RuleOfSubscribe, R1_09_NobodyIsIgnored) {
  int asked = 0;
  EventPublisher publisher([&](const std::shared_ptr<EventSubscriber>&) { ++asked; });
  publisher.subscribe(nullptr);
  EXPECT_EQ(asked, 0);
}

TEST(RuleOfSubscribe, R1_10_R1_11_APublisherTakesManySubscribers) {
  std::vector<std::shared_ptr<EventSubscriber>> asked;
  EventPublisher publisher(
      [&](std::shared_ptr<EventSubscriber> subscriber) { asked.push_back(std::move(subscriber)); });
  const auto recorder = std::make_shared<Recorder>();
  publisher.subscribe(recorder);
  publisher.subscribe(recorder);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0], recorder);
  EXPECT_EQ(asked[1], recorder);
}

TEST_F(Rule, R2_07_R3_01_RequestsFromManyThreadsAllCount) {
  test.push(1, 1000);
  {
    std::vector<std::thread> threads;
    std::mutex posting;  // of the deliveries by hand, which only one thread may use at a time
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 100; ++n) {
          const std::scoped_lock lock(posting);
          test.request(1);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(test.heard().size(), 400u);
}

TEST_F(Rule, R2_09_R2_10_TheEndNeedsNoRequest) {
  test.push(1, 3);
  test.flow->complete();
  EXPECT_EQ(test.heard(), Signals{"complete"});
  TestFlow other;
  other.start();
  other.flow->fail(error(Code::internal, "broken"));
  EXPECT_EQ(other.heard(), (Signals{"subscribed", "error -32603"}));
}

TEST_F(Rule, R2_12_OnSubscribeComesOnce) {
  test.request(2);
  test.push(1, 2);
  EXPECT_EQ(test.heard(), (Signals{"next 1", "next 2"}));
}

TEST_F(Rule, R2_13_AThrowFromOnNextIsCountedAndTheEventIsTakenForHandled) {
  test.subscriber->then = [&](const std::string& signal) {
    if (signal == "next 1") throw std::runtime_error("no");
  };
  test.request(2);
  test.push(1, 3);
  EXPECT_EQ(test.heard(), (Signals{"next 1", "next 2"}));
  EXPECT_EQ(test.threw, 1);
}

TEST(RuleOfSubscribe, R2_13_AThrowFromOnSubscribeIsTheEnd) {
  TestFlow test;
  test.subscriber->then = [](const std::string& signal) {
    if (signal == "subscribed") throw std::runtime_error("no");
  };
  test.start();
  EXPECT_EQ(test.heard(), (Signals{"subscribed", "error -32603"}));
  EXPECT_EQ(test.threw, 1);
  EXPECT_EQ(test.ended, 1);
}

TEST(RuleOfSubscribe, R3_02_RequestsInsideOnSubscribeCount) {
  TestFlow test;
  test.push(1, 3);
  test.subscriber->then = [&](const std::string& signal) {
    if (signal == "subscribed") test.request(2);
  };
  test.start();
  EXPECT_EQ(test.heard(), (Signals{"subscribed", "next 1", "next 2"}));
}

TEST_F(Rule, R3_02_R3_03_RequestsInsideOnNextDoNotRecurse) {
  int depth = 0;
  int deepest = 0;
  test.subscriber->then = [&](const std::string&) {
    deepest = std::max(deepest, ++depth);
    test.request(1);
    --depth;
  };
  test.push(1, 10'000);
  test.request(1);
  EXPECT_EQ(test.heard().size(), 10'000u);
  EXPECT_EQ(deepest, 1);
}

TEST_F(Rule, R3_04_R3_10_R3_11_ARequestReturnsBeforeAnySignal) {
  test.push(1, 1);
  test.request(1);
  EXPECT_EQ(test.subscriber->heard(), Signals());
  test.request(-1);
  EXPECT_EQ(test.subscriber->heard(), Signals());
}

TEST_F(Rule, R3_05_R3_07_CancellingAgainDoesNothing) {
  test.cancel();
  test.cancel();
  EXPECT_EQ(test.heard(), Signals{"complete"});
  test.cancel();
  EXPECT_EQ(test.heard(), Signals());
  EXPECT_EQ(test.ended, 1);
}

TEST_F(Rule, R3_06_ARequestAfterACancelDoesNothing) {
  test.push(1, 1);
  test.cancel();
  test.request(1);
  test.request(0);
  EXPECT_EQ(test.heard(), Signals{"complete"});
  test.request(-1);
  EXPECT_EQ(test.heard(), Signals());
}

TEST_F(Rule, R3_08_RequestsAddUp) {
  test.request(2);
  test.request(3);
  test.push(1, 9);
  EXPECT_EQ(test.heard().size(), 5u);
}

TEST_F(Rule, R3_09_ARequestOfNothingIsAnErrorAndTheEnd) {
  for (const std::int64_t n :
       {std::int64_t(0), std::int64_t(-1), std::numeric_limits<std::int64_t>::min()}) {
    TestFlow other;
    other.start();
    other.push(1, 1);
    other.request(n);
    other.request(1);
    EXPECT_EQ(other.heard(), (Signals{"subscribed", "error -32602"})) << n;
    EXPECT_EQ(other.ended, 1);
  }
}

TEST_F(Rule, R3_13_AfterTheEndNobodyHoldsTheSubscriber) {
  const std::weak_ptr<Recorder> weak = test.subscriber;
  test.cancel();
  test.heard();
  test.subscriber.reset();
  EXPECT_TRUE(weak.expired());
}

TEST_F(Rule, R3_13_NorTheEventsThatWaited) {
  test.push(1, 1);
  test.request(1);
  test.heard();
  test.push(2, 100);
  test.cancel();
  EXPECT_EQ(test.heard(), Signals{"complete"});
}

TEST_F(Rule, R3_15_R3_16_NothingThatASubscriberThrowsComesOutOfItsCalls) {
  test.subscriber->then = [](const std::string&) { throw 1; };
  test.push(1, 1);
  EXPECT_NO_THROW(test.request(1));
  EXPECT_NO_THROW(test.cancel());
  EXPECT_EQ(test.heard(), Signals{"complete"});
}

TEST_F(Rule, R3_17_DemandIsBoundedByTheLargestNumberAndThenWithoutEnd) {
  for (int i = 0; i < 3; ++i) test.request(most);
  test.request(1);
  for (int i = 0; i < 3; ++i) {
    test.push(1, 1000);
    EXPECT_EQ(test.heard().size(), 1000u);
  }
}

TEST(SilentCancel, IsWhatReactiveStreamsHas) {
  SubscriptionOptions options;
  options.complete_on_cancel = false;
  TestFlow test(options);
  test.start();
  test.cancel();
  EXPECT_EQ(test.heard(), Signals{"subscribed"});
}

class Adapted : public testing::Test {
 protected:
  void with(const std::shared_ptr<EventSubscriber>& adapted, std::size_t max_events = 10) {
    SubscriptionOptions options;
    options.max_events = max_events;
    flow = std::make_shared<Flow>(adapted, options, deliveries, Flow::Hooks{[] {}, [] {}, [] {}});
    flow->start();
  }
  void push(const std::string& unique_id) {
    flow->push(Event("host", "|virt|VM_status|" + unique_id, "{}", deliveries->now()));
    flow->wake();
  }
  Signals heard() {
    deliveries->run();
    return recorder->heard();
  }
  void TearDown() override {
    flow->cancel();
    deliveries->run();
  }
  const std::shared_ptr<ManualDeliveries> deliveries = std::make_shared<ManualDeliveries>();
  const std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>();
  std::shared_ptr<Flow> flow;
};

TEST_F(Adapted, StrictSubscribersTakeALossForTheEnd) {
  with(strict(recorder));
  flow->request(1);
  flow->disconnected(error(Code::communication, "gone"));
  push("1");
  EXPECT_EQ(heard(), (Signals{"subscribed", "error 5022"}));
}

TEST_F(Adapted, StrictSubscribersTakeDroppedEventsForTheEnd) {
  with(strict(recorder), 1);
  push("1");
  push("2");
  flow->request(2);
  EXPECT_EQ(heard(), (Signals{"subscribed", "error 5022"}));
}

TEST_F(Adapted, LenientSubscribersHearOfALossByOnErrorAndLiveOn) {
  with(lenient(recorder));
  flow->disconnected(error(Code::communication, "gone"));
  flow->reconnected(Gap());
  push("1");
  flow->request(1);
  EXPECT_EQ(heard(), (Signals{"subscribed", "error 5022", "next 1"}));
}

}  // namespace
}  // namespace doctor::client
