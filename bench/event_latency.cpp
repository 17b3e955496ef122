// From an event on the wire to the MQTT message about the document that it changed: one event at a
// time over STOMP, and the time until its announcement has come over MQTT (QoS 0, 3.1.1).
//
//   event_latency STOMP-PORT MQTT-PORT COUNT
//
// The server has a rule that merges events of VM_status into the collection vm. Prints p50 and p99
// in microseconds.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt_subscriber.hpp"
#include "socket.hpp"

namespace {

using namespace std::string_view_literals;
using Clock = std::chrono::steady_clock;

std::string event(std::int64_t number) {
  const std::string body =
      R"({"jsonrpc":"2.0","method":"|virt|VM_status|vm-1","params":{"vm-1":{"status":"Up","hash":")" +
      std::to_string(number) + R"("},"notify_time":)" + std::to_string(number) + "}}";
  return "SEND\ndestination:jms.queue.events\ncontent-length:" + std::to_string(body.size()) +
         "\n\n" + body + '\0';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: event_latency STOMP-PORT MQTT-PORT COUNT\n");
    return 2;
  }
  bench::Socket stomp(std::atoi(argv[1]));
  bench::Socket mqtt(std::atoi(argv[2]));
  stomp.send("CONNECT\naccept-version:1.2\nhost:/\n\n\0"sv);
  stomp.receive();
  bench::subscribe_to_vm(mqtt);

  std::vector<double> times;
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    const auto sent = Clock::now();
    stomp.send(event(sent.time_since_epoch().count()));
    mqtt.receive();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("%.0f %.0f\n", times[times.size() / 2], times[times.size() * 99 / 100]);
}
