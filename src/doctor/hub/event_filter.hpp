#pragma once

#include <cstddef>
#include <string_view>

#include "doctor/stomp/refusal.hpp"
#include "doctor/stomp/subscription.hpp"

namespace doctor::hub {

/// Reads the header `event-filter` of a SUBSCRIBE: subscription ids with commas between them. An
/// event passes if it matches one of them. The receiver part, which is empty on the wire and filled
/// in by who receives it, decides only where an event has one.
///
/// Refuses what is no list of subscription ids, and more than `ids_max` of them.
stomp::Decoded<stomp::EventFilter> parse_event_filter(std::string_view header, std::size_t ids_max);

}  // namespace doctor::hub
