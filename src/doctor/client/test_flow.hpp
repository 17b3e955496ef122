#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/client/deliveries.hpp"
#include "doctor/client/flow.hpp"

namespace doctor::client {

/// Tasks and time in the hand of a test.
class ManualDeliveries final : public Deliveries {
 public:
  void post(std::shared_ptr<Task> task) override { tasks_.push_back(std::move(task)); }
  Clock::time_point now() const override { return now_; }

  /// Runs until nothing is left.
  void run() {
    while (!tasks_.empty()) {
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      task->run();
    }
  }
  std::size_t size() const { return tasks_.size(); }
  void pass(Clock::duration time) { now_ += time; }

 private:
  std::deque<std::shared_ptr<Task>> tasks_;
  Clock::time_point now_{std::chrono::hours(100)};
};

/// Writes down every signal as text: "subscribed", "next 7", "error 5022", "complete",
/// "disconnected gone", "reconnected 5", "dropped 2".
class Recorder final : public EventSubscriber {
 public:
  void on_subscribe(std::shared_ptr<Subscription> given) override {
    subscription = std::move(given);
    note("subscribed");
  }
  void on_next(const Event& event) override {
    const std::string unique_id(event.unique_id());
    note("next " + unique_id);
    EXPECT_EQ(event.unique_id(), unique_id);  // still, whatever was done inside the signal
  }
  void on_error(const Error& failure) override { note("error " + std::to_string(failure.code)); }
  void on_complete() override { note("complete"); }
  void on_disconnect(const Error& reason) override { note("disconnected " + reason.message); }
  void on_reconnect(const Gap& gap) override {
    note("reconnected " + std::to_string(gap.duration.count()));
  }
  void on_dropped(std::uint64_t count) override { note("dropped " + std::to_string(count)); }

  /// What was heard since the last call.
  std::vector<std::string> heard() { return std::exchange(heard_, {}); }

  std::shared_ptr<Subscription> subscription;
  std::function<void(const std::string&)> then;  ///< is called inside each signal

 private:
  void note(std::string signal) {
    heard_.push_back(signal);
    if (then) then(signal);
  }
  std::vector<std::string> heard_;
};

using Signals = std::vector<std::string>;

/// A flow, its subscriber, and everybody around it on one thread.
class TestFlow {
 public:
  explicit TestFlow(SubscriptionOptions options = {})
      : flow(std::make_shared<Flow>(
            subscriber, options, deliveries,
            Flow::Hooks{[this] { ++ended; }, [this] { ++room; }, [this] { ++threw; }})) {}

  // Subscriber and flow hold one another until the end.
  ~TestFlow() {
    if (subscriber) subscriber->then = nullptr;
    flow->cancel();
    deliveries->run();
  }
  TestFlow(const TestFlow&) = delete;
  TestFlow& operator=(const TestFlow&) = delete;

  void start() { flow->start(); }
  Event event(const std::string& unique_id) const {
    return Event("host", "|virt|VM_status|" + unique_id, "{}", deliveries->now());
  }
  void push(int first, int last) {
    for (int i = first; i <= last; ++i) flow->push(event(std::to_string(i)));
    flow->wake();
  }
  /// What is heard once all has run.
  Signals heard() {
    deliveries->run();
    return subscriber->heard();
  }
  void request(std::int64_t n) { subscriber->subscription->request(n); }
  void cancel() { subscriber->subscription->cancel(); }

  std::shared_ptr<ManualDeliveries> deliveries = std::make_shared<ManualDeliveries>();
  std::shared_ptr<Recorder> subscriber = std::make_shared<Recorder>();
  int ended = 0;
  int room = 0;
  int threw = 0;
  std::shared_ptr<Flow> flow;
};

}  // namespace doctor::client
