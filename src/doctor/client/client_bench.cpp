// How many events a second go through one subscriber that asks for one more each time, from the
// thread that would read the socket through matcher, bounded buffer and demand to on_next on
// another thread? Reads are taken to hold `batch` events each.

#include <condition_variable>
#include <mutex>
#include <string>

#include <benchmark/benchmark.h>

#include "doctor/client/deliveries.hpp"
#include "doctor/client/router.hpp"

namespace doctor::client {
namespace {

class Counting final : public EventSubscriber {
 public:
  explicit Counting(std::int64_t each) : each_(each) {}
  void on_subscribe(std::shared_ptr<Subscription> subscription) override {
    subscription_ = std::move(subscription);
    subscription_->request(each_);
  }
  void on_next(const Event& event) override {
    octets_ += event.params().size();
    if (++count_ % each_ == 0) subscription_->request(each_);
    if (count_ == wanted_.load(std::memory_order_relaxed)) reached();
  }
  void on_error(const Error&) override {}
  void on_complete() override {}
  void on_disconnect(const Error&) override {}
  void on_reconnect(const Gap&) override {}
  void on_dropped(std::uint64_t count) override { lost_ += count; }

  // Call before the event with this number is pushed.
  void want(std::int64_t count) { wanted_ = count; }
  void wait() {
    std::unique_lock lock(mutex_);
    reached_.wait(lock, [&] { return done_; });
    done_ = false;
  }
  std::uint64_t lost() const { return lost_; }

 private:
  void reached() {
    const std::scoped_lock lock(mutex_);
    done_ = true;
    reached_.notify_one();
  }
  const std::int64_t each_;
  std::shared_ptr<Subscription> subscription_;
  std::int64_t count_ = 0;
  std::size_t octets_ = 0;
  std::uint64_t lost_ = 0;
  std::atomic<std::int64_t> wanted_{-1};
  std::mutex mutex_;
  std::condition_variable reached_;
  bool done_ = false;
};

void throughput(benchmark::State& state) {
  const std::int64_t batch = state.range(0);
  const auto queue = std::make_shared<DeliveryQueue>();
  const DeliveryThreads threads(queue, 1);
  const auto subscriber = std::make_shared<Counting>(state.range(1));
  SubscriptionOptions options;
  options.overflow = Overflow::pause;
  const auto flow =
      std::make_shared<Flow>(subscriber, options, queue, Flow::Hooks{[] {}, [] {}, [] {}});
  Router router;
  router.add(flow, {*events::SubscriptionId::parse("*|virt|VM_status|*")});
  flow->start();

  std::int64_t count = 0;
  for (auto _ : state) {
    constexpr std::int64_t events = 1'000'000;
    subscriber->want(count + events);
    for (std::int64_t i = 0; i < events; ++i) {
      while (router.all_full()) {  // the socket would not be read
        router.flush();
        std::this_thread::yield();
      }
      router.deliver(Event("host1", "|virt|VM_status|93f68b50-12c9-46ba-9d07-9a4e2d7d0a5e",
                           R"({"93f68b50-12c9-46ba-9d07-9a4e2d7d0a5e":{"status":"Up"},)"
                           R"("notify_time":2148725720})",
                           Clock::now()));
      if (i % batch == batch - 1) router.flush();
    }
    router.flush();
    subscriber->wait();
    count += events;
  }
  state.SetItemsProcessed(count);
  if (subscriber->lost() != 0) state.SkipWithError("events were dropped");
  flow->cancel();
}
BENCHMARK(throughput)
    ->ArgNames({"batch", "request"})
    ->Args({1, 1})
    ->Args({16, 1})
    ->Args({256, 1})
    ->Args({256, 64})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace doctor::client
