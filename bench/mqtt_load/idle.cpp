#include <deque>

#include "load/measure.hpp"
#include "load/poller.hpp"
#include "mqtt_load/client.hpp"
#include "mqtt_load/modes.hpp"

namespace bench::mqtt {

using namespace load;

// Clients of a server that has just come back: many knock before the first is let in.
void idle(const Options& options) {
  const auto count = static_cast<std::size_t>(options.get("clients", 10'000));
  const auto knocking = static_cast<std::size_t>(options.get("knocking", 500));
  std::deque<Client> clients;
  Poller poller;
  std::size_t welcome = 0;
  const double before = broker_memory_kib(options.pid);
  const Stretch stretch(options.pid);
  while (welcome < count) {
    while (clients.size() < count && clients.size() - welcome < knocking) {
      Client& client = clients.emplace_back(options.port);
      poller.add(client, EPOLLIN, clients.size() - 1);
      client.out() = connect_packet(4, "idle-client-" + std::to_string(clients.size()));
      client.flush();
    }
    poller.wait(1'000'000'000, [&](std::uint64_t tag) {
      clients[tag].receive([&](std::uint8_t first, std::string_view) {
        if (first >> 4 == connack) ++welcome;
      });
    });
  }
  const std::int64_t end = now_ns();
  print("seconds", static_cast<double>(end - stretch.began()) / 1e9);
  stretch.print_until(end, static_cast<double>(count));
  print("kib_per_client", (broker_memory_kib(options.pid) - before) / static_cast<double>(count));
}

}  // namespace bench::mqtt
