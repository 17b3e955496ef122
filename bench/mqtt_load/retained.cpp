#include <cstdlib>
#include <vector>

#include "load/measure.hpp"
#include "load/poller.hpp"
#include "mqtt_load/client.hpp"
#include "mqtt_load/modes.hpp"

namespace bench::mqtt {

using namespace load;
namespace {

constexpr long topics_of_a_branch = 100;

// The topic ends with the number of its message.
void retain(const Options& options, long count) {
  Client publisher(options.port);
  publisher.ask(connect_packet(4, "publisher"), connack);
  for (long i = 0; i < count; ++i) {
    const std::string topic =
        "bench/" + std::to_string(i / topics_of_a_branch) + "/" + std::to_string(i);
    const bool last = i + 1 == count;  // whose acknowledgement says that all have been taken
    PublishTemplate message(4, topic, last ? 1 : 0, true, 64);
    if (last) message.octets[message.octets.size() - message.id_from_end + 1] = 1;
    publisher.out() += message.octets;
    if (publisher.out().size() > 64u << 10) publisher.flush();
  }
  publisher.ask({}, puback);
}

long number_of(std::string_view body) {
  const std::string topic(body.substr(2, static_cast<unsigned char>(body[1])));
  return std::atol(topic.c_str() + topic.rfind('/') + 1);
}

}  // namespace

void retained(const Options& options) {
  const long count = options.get("messages", 100'000);
  const double before = broker_memory_kib(options.pid);
  retain(options, count);
  print("kib_per_message", (broker_memory_kib(options.pid) - before) / static_cast<double>(count));
  Client subscriber(options.port);
  subscriber.ask(connect_packet(4, "subscriber"), connack);
  Poller poller;
  poller.add(subscriber, EPOLLIN, 0);
  const std::string filter[] = {"bench/#"};
  std::vector<bool> heard(static_cast<std::size_t>(count));
  long arrived = 0;
  long twice = 0;
  const Stretch stretch(options.pid);
  std::int64_t last_arrival = stretch.began();
  constexpr std::int64_t silence_max = 10'000'000'000;
  subscriber.out() = subscribe_packet(4, filter, 0);
  subscriber.flush();
  while (arrived < count && now_ns() - last_arrival < silence_max) {
    poller.wait(1'000'000'000, [&](std::uint64_t) {
      subscriber.receive([&](std::uint8_t first, std::string_view body) {
        if (first >> 4 != publish) return;
        const auto number = static_cast<std::size_t>(number_of(body));
        (heard[number] ? twice : arrived) += 1;
        heard[number] = true;
      });
      last_arrival = now_ns();
    });
  }
  print("ms", static_cast<double>(last_arrival - stretch.began()) / 1e6);
  print("arrived", static_cast<double>(arrived));
  print("lost", static_cast<double>(count - arrived));
  print("twice", static_cast<double>(twice));
  stretch.print_until(last_arrival, static_cast<double>(arrived));
}

}  // namespace bench::mqtt
