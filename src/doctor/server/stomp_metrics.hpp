#pragma once

#include "doctor/hub/hub.hpp"
#include "doctor/server/event_rules.hpp"
#include "doctor/server/metrics_text.hpp"
#include "doctor/server/upstreams.hpp"
#include "doctor/stomp/broker.hpp"

namespace doctor::server {

/// What /metrics says of STOMP, and of requests and events over it.
void write_stomp(MetricsText& out, const stomp::Figures& figures);
void write_hub(MetricsText& out, const hub::Figures& figures);
/// And of events that become documents.
/// @param not_kept  events that did not get as far as the rules
void write_event_rules(MetricsText& out, const EventRules::Figures& figures,
                       std::uint64_t not_kept);
/// And of the hosts that Doctor listens to, by their configured names.
void write_upstreams(MetricsText& out, const std::vector<Upstreams::Figures>& hosts);

}  // namespace doctor::server
