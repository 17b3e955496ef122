// What does a tick cost when nothing is due?

#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "doctor/mqtt/broker.hpp"
#include "doctor/mqtt/encode.hpp"

namespace doctor::mqtt {
namespace {

Limits roomy() {
  Limits limits;
  limits.mqtt_sessions = 1'000'000;
  return limits;
}

// A broker with so many clients that are connected, and as many sessions that wait for theirs.
class Idle {
 public:
  explicit Idle(int count)
      : broker_(
            roomy(), [](const Credentials&) { return LoggedIn{}; },
            [](std::string_view, Clock::time_point) { return std::chrono::milliseconds{}; },
            [](ConnectionId) { return false; },
            [](document::Revision, std::uint64_t, std::size_t) { return std::nullopt; },
            [](std::string_view) {}) {
    for (int i = 0; i < 2 * count; ++i) connect(i, i % 2 == 0);
  }

  void tick() {
    now_ += std::chrono::milliseconds(500);
    broker_.tick(now_, Timestamp(0));
  }

 private:
  void connect(int number, bool stays) {
    const ConnectionId id = broker_.accept("10.0.0.1", now_, Timestamp(0));
    const std::string name = "client-" + std::to_string(number);
    Connect connect;
    connect.client_id = name;
    connect.clean_start = false;
    connect.keep_alive = 65'535;
    connect.properties.add(PropertyId::session_expiry_interval, 1'000'000);
    std::string bytes;
    encode(connect, Version::v5_0, bytes);
    Subscribe subscribe{1, {}, {{name, {QoS::at_least_once, false, false}, 0}}};
    encode(subscribe, Version::v5_0, bytes);
    broker_.receive(id, bytes, now_, Timestamp(0));
    std::string out;
    broker_.output(id, 1 << 16, out, now_);
    broker_.output(id, 1 << 16, out, now_);
    if (!stays) broker_.closed(id, now_);
    benchmark::DoNotOptimize(broker_.attention());
  }

  Broker broker_;
  Clock::time_point now_{std::chrono::hours(1)};
};

// Between two ticks a server does other things: what it has in its caches is gone.
void forget_caches(std::vector<char>& other) {
  for (std::size_t i = 0; i < other.size(); i += 64) ++other[i];
}

void tick_when_nothing_is_due(benchmark::State& state) {
  Idle idle(static_cast<int>(state.range(0)));
  std::vector<char> other(static_cast<std::size_t>(state.range(1)) << 20);
  for (auto _ : state) {
    if (!other.empty()) {
      state.PauseTiming();
      forget_caches(other);
      state.ResumeTiming();
    }
    idle.tick();
  }
}
BENCHMARK(tick_when_nothing_is_due)
    ->ArgNames({"clients", "MiB between"})
    ->Args({10'000, 0})
    ->Args({10'000, 64})
    ->Args({100'000, 0})
    ->Args({100'000, 64})
    ->Iterations(100)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace doctor::mqtt
