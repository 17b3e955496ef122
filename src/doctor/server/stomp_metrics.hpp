#pragma once

#include "doctor/hub/hub.hpp"
#include "doctor/server/metrics_text.hpp"
#include "doctor/stomp/broker.hpp"

namespace doctor::server {

/// What /metrics says of STOMP, and of requests and events over it.
void write_stomp(MetricsText& out, const stomp::Figures& figures);
void write_hub(MetricsText& out, const hub::Figures& figures);

}  // namespace doctor::server
