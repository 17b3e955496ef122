// What does it cost to find whom an event goes to, with more and more subscriptions?

#include <random>
#include <string>

#include <benchmark/benchmark.h>

#include "doctor/events/subscription_index.hpp"

namespace doctor::events {
namespace {

// As oVirt's engine has them: two for each host, and the others of single virtual machines that
// somebody waits for.
SubscriptionIndex index_of(std::size_t count) {
  SubscriptionIndex index;
  for (std::size_t i = 0; index.size() < count; ++i) {
    const std::string n = std::to_string(i);
    for (const std::string& id :
         {"host" + n + "|*|VM_status|*", "host" + n + "|net|*|*", "*|virt|VM_status|vm" + n,
          "*|virt|VM_migration_status|vm" + n, "*|*|*|job" + n}) {
      if (index.size() < count) index.add(*SubscriptionId::parse(id));
    }
  }
  return index;
}

void match(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const SubscriptionIndex index = index_of(count);
  std::mt19937 random(1);
  std::vector<std::string> events;
  for (int i = 0; i < 4096; ++i) {
    // Of machines and hosts beyond those that are subscribed to, too.
    const auto any = [&] { return std::to_string(random() % (count / 5 + 1) * 5 / 4); };
    events.push_back("host" + any() + "|virt|VM_status|vm" + any());
  }
  std::vector<EventId> ids;
  for (const std::string& event : events) ids.push_back(*parse_event_id(event));
  std::size_t at = 0;
  std::size_t found = 0;
  for (auto _ : state) {
    index.match(ids[at++ % ids.size()], [&](Holder) { ++found; });
  }
  state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}
BENCHMARK(match)->Arg(10)->Arg(1'000)->Arg(100'000);

}  // namespace
}  // namespace doctor::events
