// From a write to a connected subscriber: one PATCH at a time over HTTP, and the time until its
// announcement has come over MQTT (QoS 0, 3.1.1) on another connection.
//
//   push_latency API-PORT MQTT-PORT COUNT
//
// Prints p50 and p99 in microseconds.

#include <algorithm>
#include <chrono>
#include <vector>

#include "mqtt_subscriber.hpp"
#include "socket.hpp"

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: push_latency API-PORT MQTT-PORT COUNT\n");
    return 2;
  }
  bench::Socket http(std::atoi(argv[1]));
  bench::Socket mqtt(std::atoi(argv[2]));
  bench::subscribe_to_vm(mqtt);

  std::vector<double> times;
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    const std::string body =
        "{\"memory\":" + std::to_string(Clock::now().time_since_epoch().count()) + "}";
    const std::string request =
        "PATCH /entities/vm/vm-1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    const auto sent = Clock::now();
    http.send(request);
    mqtt.receive();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
    if (http.receive_answer() != 200) return 1;
  }
  std::sort(times.begin(), times.end());
  std::printf("%.0f %.0f\n", times[times.size() / 2], times[times.size() * 99 / 100]);
}
