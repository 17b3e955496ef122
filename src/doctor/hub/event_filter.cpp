#include "doctor/hub/event_filter.hpp"

#include <algorithm>
#include <vector>

#include "doctor/events/subscription_id.hpp"

namespace doctor::hub {
namespace {

using events::SubscriptionId;

bool passes(const std::vector<SubscriptionId>& ids, std::string_view event) {
  auto parsed = events::parse_event_id(event);
  if (!parsed) return false;
  std::string_view& receiver = parsed->parts.front();
  if (receiver.empty()) receiver = "*";
  return std::any_of(ids.begin(), ids.end(),
                     [&](const SubscriptionId& id) { return id.matches(*parsed); });
}

}  // namespace

stomp::Decoded<stomp::EventFilter> parse_event_filter(std::string_view header,
                                                      std::size_t ids_max) {
  std::vector<SubscriptionId> ids;
  for (std::size_t begin = 0; begin <= header.size();) {
    const std::size_t end = std::min(header.find(',', begin), header.size());
    auto id = SubscriptionId::parse(header.substr(begin, end - begin));
    if (!id) {
      return stomp::Refusal{stomp::Fault::protocol,
                            "event-filter is no list of receiver|component|operation|unique id"};
    }
    if (ids.size() == ids_max) {
      return stomp::Refusal{stomp::Fault::limit,
                            "event-filter has more ids than the limit events_filters"};
    }
    ids.push_back(std::move(*id));
    begin = end + 1;
  }
  return [ids = std::move(ids)](std::string_view event) { return passes(ids, event); };
}

}  // namespace doctor::hub
