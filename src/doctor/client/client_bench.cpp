// How many events a second go through one subscriber that asks for one more each time, from the
// thread that would read the socket through matcher, bounded buffer and demand to on_next on
// another thread? Reads are taken to hold `batch` events each.
//
// And how many from a socket on: a peer writes them as fast as it may, the client splits and reads
// the frames, and nothing is dropped.

#include <arpa/inet.h>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <netinet/in.h>
#include <semaphore>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <benchmark/benchmark.h>

#include "doctor/client/client.hpp"
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
    if (count_ >= wanted_.load(std::memory_order_relaxed)) reached();
  }
  void on_error(const Error&) override {}
  void on_complete() override {}
  void on_disconnect(const Error&) override {}
  void on_reconnect(const Gap&) override {}
  void on_dropped(std::uint64_t count) override { lost_ += count; }

  /// The number of the event to wait for.
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
    wanted_ = std::numeric_limits<std::int64_t>::max();
    done_ = true;
    reached_.notify_one();
  }
  const std::int64_t each_;
  std::shared_ptr<Subscription> subscription_;
  std::int64_t count_ = 0;
  std::size_t octets_ = 0;
  std::uint64_t lost_ = 0;
  std::atomic<std::int64_t> wanted_{std::numeric_limits<std::int64_t>::max()};
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
  std::counting_semaphore<> room(0);
  const auto flow = std::make_shared<Flow>(subscriber, options, queue,
                                           Flow::Hooks{[] {}, [&] { room.release(); }, [] {}});
  Router router;
  router.add(flow, {*events::SubscriptionId::parse("*|virt|VM_status|*")});
  flow->start();

  std::int64_t count = 0;
  for (auto _ : state) {
    constexpr std::int64_t events = 1'000'000;
    subscriber->want(count + events);
    Clock::time_point read;
    for (std::int64_t i = 0; i < events; ++i) {
      if (i % batch == 0) read = Clock::now();
      while (router.all_full()) {  // the socket would not be read
        router.flush();
        room.acquire();
      }
      router.deliver(Event("host1", "|virt|VM_status|93f68b50-12c9-46ba-9d07-9a4e2d7d0a5e",
                           R"({"93f68b50-12c9-46ba-9d07-9a4e2d7d0a5e":{"status":"Up"},)"
                           R"("notify_time":2148725720})",
                           read));
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
    ->MeasureProcessCPUTime()  // of both threads
    ->Unit(benchmark::kMillisecond);

// Answers one CONNECT, and once it was asked for events writes nothing else, until it is cut off.
class Source {
 public:
  Source() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Source() {
    thread_.join();
    ::close(listener_);
  }
  std::uint16_t port = 0;

 private:
  static void write(int socket, std::string_view octets) {
    while (!octets.empty()) {
      const auto count = ::send(socket, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      octets.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void serve() const {
    const int socket = ::accept(listener_, nullptr, nullptr);
    std::string heard;
    char octets[4096];
    bool greeted = false;
    while (heard.find("destination:jms.queue.events\n") == heard.npos) {
      const auto count = ::recv(socket, octets, sizeof octets, 0);
      if (count <= 0) break;
      heard.append(octets, static_cast<std::size_t>(count));
      if (!std::exchange(greeted, true)) {
        write(socket, std::string_view("CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0", 39));
      }
    }
    const std::string body =
        R"({"jsonrpc":"2.0","method":"|virt|VM_status|93f68b50-12c9-46ba-9d07-9a4e2d7d0a5e",)"
        R"("params":{"93f68b50-12c9-46ba-9d07-9a4e2d7d0a5e":{"status":"Up"},)"
        R"("notify_time":2148725720}})";
    std::string block;
    while (block.size() < 64u << 10) {
      block +=
          "MESSAGE\ndestination:jms.queue.events\nsubscription:2\nmessage-id:1\ncontent-type:"
          "application/json\ncontent-length:" +
          std::to_string(body.size()) + "\n\n" + body + '\0';
    }
    while (::send(socket, block.data(), block.size(), MSG_NOSIGNAL | MSG_WAITALL) > 0) {
    }
    ::close(socket);
  }
  const int listener_;
  std::thread thread_;
};

void from_a_socket(benchmark::State& state) {
  const Source source;
  Options options;
  options.host = "127.0.0.1";
  options.port = source.port;
  options.attempts = 1;
  auto client = Client::open(options);
  SubscriptionOptions how;
  how.overflow = Overflow::pause;
  const auto subscriber = std::make_shared<Counting>(1);
  std::int64_t count = 0;
  constexpr std::int64_t events = 200'000;
  subscriber->want(events);
  (*client->events({"*|virt|VM_status|*"}, how))->subscribe(subscriber);
  for (auto _ : state) {
    subscriber->wait();
    count += events;
    subscriber->want(count + events);
  }
  state.SetItemsProcessed(count);
  if (subscriber->lost() != 0) state.SkipWithError("events were dropped");
}
BENCHMARK(from_a_socket)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace doctor::client
