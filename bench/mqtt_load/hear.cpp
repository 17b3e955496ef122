#include <deque>

#include "load/measure.hpp"
#include "load/poller.hpp"
#include "mqtt_load/client.hpp"
#include "mqtt_load/modes.hpp"

namespace bench::mqtt {

using namespace load;

void hear(const Options& options) {
  const long count = options.get("subscribers", 100);
  const long expected = options.get("expected", 0);
  std::deque<Client> clients;
  Poller poller;
  for (long i = 0; i < count; ++i) {
    Client& client = clients.emplace_back(options.port);
    const std::string name = "bench-" + std::to_string(i);
    const std::string filter[] = {"#"};
    client.ask(connect_packet(4, name, {"session", name}), connack);
    client.ask(subscribe_packet(4, filter, 0), suback);
    poller.add(client, EPOLLIN, static_cast<std::uint64_t>(i));
  }
  std::printf("ready\n");
  std::fflush(stdout);
  const Stretch stretch(options.pid);
  long arrived = 0;
  std::int64_t first_arrival = 0;
  std::int64_t last_arrival = now_ns();
  constexpr std::int64_t silence_max = 10'000'000'000;
  while (arrived < expected && now_ns() - last_arrival < silence_max) {
    poller.wait(1'000'000'000, [&](std::uint64_t tag) {
      clients[tag].receive([&](std::uint8_t first, std::string_view) {
        if (first >> 4 == publish) ++arrived;
      });
      last_arrival = now_ns();
      if (first_arrival == 0) first_arrival = last_arrival;
    });
  }
  print("arrived", static_cast<double>(arrived));
  // steady_clock is CLOCK_MONOTONIC, which other processes can read as well.
  print("first_at_ns", static_cast<double>(first_arrival));
  print("last_at_ns", static_cast<double>(last_arrival));
  stretch.print_until(last_arrival, static_cast<double>(arrived));
}

}  // namespace bench::mqtt
