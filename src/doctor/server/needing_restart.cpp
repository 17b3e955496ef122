#include "doctor/server/configuration.hpp"
#include "doctor/server/limit_settings.hpp"

namespace doctor::server {

std::vector<std::string> needing_restart(const Configuration& before, const Configuration& after) {
  std::vector<std::string> names;
  const auto compare = [&names](const auto& a, const auto& b, std::string_view name) {
    if (a != b) names.emplace_back(name);
  };
  compare(before.data_dir, after.data_dir, "data_dir");
  compare(before.secret, after.secret, "secret");
  compare(before.listen, after.listen, "listen");
  compare(before.api_port, after.api_port, "api_port");
  compare(before.mqtt_port, after.mqtt_port, "mqtt_port");
  compare(before.api_tls.port, after.api_tls.port, "api_tls_port");
  compare(before.mqtt_tls.port, after.mqtt_tls.port, "mqtt_tls_port");
  compare(before.stomp_port, after.stomp_port, "stomp_port");
  compare(before.stomp_tls.port, after.stomp_tls.port, "stomp_tls_port");
  compare(before.stomp.plain_remote, after.stomp.plain_remote, "stomp.plain_remote");
  compare(before.stomp.strict_destinations, after.stomp.strict_destinations,
          "stomp.strict_destinations");
  compare(before.stomp.compat, after.stomp.compat, "stomp.compat");
  compare(before.stomp.event_queues, after.stomp.event_queues, "events.event_queue");
  compare(before.tls_listen, after.tls_listen, "tls.listen");
  compare(before.clustered, after.clustered, "clustered");
  compare(before.metrics_listen, after.metrics_listen, "metrics.listen");
  compare(before.metrics_port, after.metrics_port, "metrics.port");
  compare(before.metrics_tls.port, after.metrics_tls.port, "metrics.tls_port");
  compare(before.store_map_size, after.store_map_size, "store.map_size");
  compare(before.store_reserve, after.store_reserve, "store.reserve");
  compare(before.events.written, after.events.written, "events.rule and events.upstream");
  for (const LimitSetting& setting : limit_settings()) {
    compare(setting.get(before.limits), setting.get(after.limits),
            "limits." + std::string(setting.name));
  }
  return names;
}

}  // namespace doctor::server
