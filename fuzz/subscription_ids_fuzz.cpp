// Lines: `+id` adds a subscription, `-` takes out the oldest, anything else is an event. The index
// finds what holding the event against each id finds, which is told once more without its code.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "doctor/events/subscription_index.hpp"
#include "require.hpp"

using namespace doctor::events;

namespace {

bool matches(std::string_view id, std::string_view event) {
  for (int i = 0; i < 3; ++i) {
    const std::string_view wanted = id.substr(0, id.find('|'));
    const std::string_view part = event.substr(0, event.find('|'));
    if (wanted != "*" && part != "*" && wanted != part) return false;
    id.remove_prefix(wanted.size() + 1);
    event.remove_prefix(part.size() + 1);
  }
  return id == "*" || event == "*" || id == event;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SubscriptionIndex index;
  std::deque<std::pair<Holder, std::string>> all;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.starts_with('+')) {
      if (const auto id = SubscriptionId::parse(line.substr(1))) {
        require(id->text() == line.substr(1));
        all.emplace_back(index.add(*id), line.substr(1));
      }
    } else if (line == "-") {
      if (all.empty()) continue;
      index.remove(all.front().first);
      all.pop_front();
    } else if (const auto event = parse_event_id(line)) {
      std::multiset<Holder> found;
      index.match(*event, [&](Holder holder) { found.insert(holder); });
      std::multiset<Holder> expected;
      for (const auto& [holder, id] : all) {
        if (matches(id, line)) expected.insert(holder);
      }
      require(found == expected);
    }
    require(index.size() == all.size());
  }
  return 0;
}
