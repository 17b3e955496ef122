#include "doctor/server/metrics.hpp"

#include "doctor/server/metrics_text.hpp"
#include "doctor/server/mqtt_service.hpp"
#include "doctor/server/rpc_runner.hpp"
#include "doctor/server/stomp_metrics.hpp"
#include "doctor/server/tls_endpoint.hpp"

namespace doctor::server {

namespace {

void write_tls(MetricsText& out, const std::vector<const TlsEndpoint*>& endpoints) {
  if (endpoints.empty()) return;
  out.family("doctor_tls_handshakes_total", "counter", "TLS handshakes by what came of them.");
  for (const TlsEndpoint* endpoint : endpoints) {
    const auto count = [&](std::string_view outcome, const std::atomic<std::uint64_t>& counted) {
      out.sample("doctor_tls_handshakes_total",
                 {{"listener", endpoint->name()}, {"outcome", outcome}},
                 counted.load(std::memory_order_relaxed));
    };
    count("done", endpoint->handshakes().done);
    count("failed", endpoint->handshakes().failed);
    count("timed_out", endpoint->handshakes().timed_out);
  }
  out.family("doctor_tls_certificate_expiry_timestamp_seconds", "gauge",
             "When the certificate of a listener expires.");
  for (const TlsEndpoint* endpoint : endpoints) {
    const auto expires = std::chrono::system_clock::to_time_t(endpoint->context()->expires());
    out.sample("doctor_tls_certificate_expiry_timestamp_seconds", {{"listener", endpoint->name()}},
               static_cast<std::uint64_t>(expires));
  }
}

}  // namespace

Metrics::Metrics(const std::vector<std::unique_ptr<IoThread>>& threads, const Shared& shared,
                 std::string version)
    : threads_(threads), shared_(shared), version_(std::move(version)) {}

Task<std::string> Metrics::collect(Mailbox& mailbox) const {
  mqtt::Figures figures;
  if (shared_.mqtt != nullptr) figures = co_await shared_.mqtt->figures(mailbox);
  StompService::Figures stomp;
  if (shared_.stomp != nullptr) stomp = co_await shared_.stomp->figures(mailbox);
  co_return text(figures, stomp);
}

std::string Metrics::text(const mqtt::Figures& mqtt, const StompService::Figures& stomp) const {
  MetricsText out;
  out.family("doctor_build_info", "gauge", "The version that runs.");
  out.sample("doctor_build_info", {{"version", version_}}, std::uint64_t{1});

  std::vector<RequestFigures::Row> rows;
  for (const auto& thread : threads_) {
    for (RequestFigures::Row& row : thread->figures().rows()) rows.push_back(std::move(row));
  }
  write_requests(out, merged(std::move(rows)));

  out.family("doctor_connections", "gauge", "Open connections by protocol.");
  const auto connections = [&out](std::string_view protocol,
                                  const std::atomic<std::size_t>& count) {
    out.sample("doctor_connections", {{"protocol", protocol}},
               std::uint64_t{count.load(std::memory_order_relaxed)});
  };
  connections("http", shared_.http_connections);
  connections("mqtt", shared_.mqtt_tcp_connections);
  connections("mqtt-websocket", shared_.mqtt_websocket_connections);
  connections("stomp", shared_.stomp_connections);
  out.family("doctor_connections_refused_total", "counter",
             "Over the limit `connections`, or for want of what the system must give.");
  const auto refused = [&out](std::string_view cause, const std::atomic<std::uint64_t>& count) {
    out.sample("doctor_connections_refused_total", {{"cause", cause}},
               count.load(std::memory_order_relaxed));
  };
  refused("limit", shared_.connections_refused);
  refused("system", shared_.accepts_failed);
  out.family("doctor_failed_logins_total", "counter", "Wrong secrets and unknown sessions.");
  out.sample("doctor_failed_logins_total", {{"protocol", "http"}},
             shared_.failed_logins.count(FailedLogins::Over::http));
  out.sample("doctor_failed_logins_total", {{"protocol", "mqtt"}},
             shared_.failed_logins.count(FailedLogins::Over::mqtt));
  out.sample("doctor_failed_logins_total", {{"protocol", "stomp"}},
             shared_.failed_logins.count(FailedLogins::Over::stomp));
  write_tls(out, shared_.tls);
  out.single("doctor_body_bytes_under_way", "gauge", "Bytes of request bodies being received.",
             shared_.bodies.used());
  out.single("doctor_answer_bytes_under_way", "gauge", "Bytes of large answers being sent.",
             shared_.answers.used());
  out.single("doctor_exports_under_way", "gauge", "Exports being sent.", shared_.exports.used());
  out.single("doctor_reads_waiting", "gauge", "Long reads waiting for a thread.",
             shared_.readers.waiting());

  const engine::Figures engine = shared_.engine->figures();
  out.single("doctor_revision", "gauge", "The newest durable revision.",
             shared_.engine->revision().value);
  out.single("doctor_commits_total", "counter", "Commits since the start.", engine.commits);
  out.single("doctor_commit_groups_total", "counter", "Durable transactions since the start.",
             engine.groups);
  out.single("doctor_commit_groups_failed_total", "counter",
             "Groups that were aborted and tried again one by one.", engine.failed_groups);
  out.single("doctor_changes_total", "counter", "Documents created, updated or removed.",
             engine.changes);
  out.single("doctor_commands_waiting", "gauge", "Writes queued for the writer.", engine.waiting);
  out.single("doctor_store_bytes", "gauge", "Size of the store on disk.",
             shared_.engine->store().size_on_disk());
  out.single("doctor_store_takes_writes", "gauge",
             "1; 0 once writing to the disk has failed, until a restart.",
             shared_.engine->store().takes_writes() ? 1 : 0);

  out.single("doctor_mqtt_subscriptions", "gauge", "Subscriptions of connected clients.",
             mqtt.subscriptions);
  out.single("doctor_mqtt_queued_bytes", "gauge", "Bytes waiting for clients.", mqtt.queued_bytes);
  out.single("doctor_mqtt_backlog_bytes", "gauge", "Commits held in memory for announcing.",
             mqtt.backlog_bytes);
  out.single("doctor_mqtt_catching_up", "gauge", "Clients behind the newest announcements.",
             mqtt.catching_up);
  out.single("doctor_mqtt_sessions_away", "gauge", "Sessions kept while their clients are away.",
             mqtt.sessions_away);
  out.single("doctor_mqtt_retained_messages", "gauge", "Retained messages.", mqtt.retained);
  out.single("doctor_mqtt_retained_bytes", "gauge", "Memory of retained messages.",
             mqtt.retained_bytes);
  out.single("doctor_mqtt_announcements_total", "counter", "Changes announced, whoever heard.",
             mqtt.announcements);
  out.single("doctor_mqtt_packets_received_total", "counter", "Packets from clients.",
             mqtt.packets_in);
  out.family("doctor_mqtt_messages_total", "counter", "PUBLISH packets by direction.");
  out.sample("doctor_mqtt_messages_total", {{"direction", "in"}}, mqtt.messages_in);
  out.sample("doctor_mqtt_messages_total", {{"direction", "out"}}, mqtt.messages_out);
  const auto by_cause =
      [&out](std::string_view family,
             std::initializer_list<std::pair<std::string_view, std::uint64_t>> counts) {
        for (const auto& [cause, count] : counts) out.sample(family, {{"cause", cause}}, count);
      };
  out.family("doctor_mqtt_connects_refused_total", "counter", "CONNECTs refused.");
  by_cause("doctor_mqtt_connects_refused_total", {{"credentials", mqtt.refused_credentials},
                                                  {"authentication", mqtt.refused_authentication},
                                                  {"version", mqtt.refused_version},
                                                  {"client_id", mqtt.refused_client_id},
                                                  {"will", mqtt.refused_will}});
  out.family("doctor_mqtt_publishes_refused_total", "counter", "PUBLISHes refused.");
  by_cause("doctor_mqtt_publishes_refused_total", {{"session", mqtt.publishes_refused_session},
                                                   {"topic", mqtt.publishes_refused_topic},
                                                   {"state", mqtt.publishes_refused_state}});
  out.family("doctor_mqtt_subscriptions_refused_total", "counter", "Subscriptions refused.");
  by_cause("doctor_mqtt_subscriptions_refused_total",
           {{"filter", mqtt.subscriptions_refused_filter},
            {"too_many", mqtt.subscriptions_refused_too_many}});
  out.family("doctor_mqtt_sessions_ended_total", "counter",
             "MQTT sessions that ended otherwise than their clients asked for.");
  by_cause("doctor_mqtt_sessions_ended_total", {{"too_many", mqtt.sessions_ended_too_many},
                                                {"behind", mqtt.sessions_ended_behind},
                                                {"expired", mqtt.sessions_ended_expired},
                                                {"restart", mqtt.sessions_ended_restart}});
  out.family("doctor_mqtt_dropped_total", "counter", "Messages that a client did not get.");
  by_cause("doctor_mqtt_dropped_total", {{"queue_full", mqtt.dropped_queue_full},
                                         {"no_member", mqtt.dropped_no_member},
                                         {"not_retained", mqtt.dropped_retained},
                                         {"forbidden", mqtt.dropped_forbidden},
                                         {"packet_size", mqtt.dropped_packet_size},
                                         {"expired", mqtt.dropped_expired}});
  out.family("doctor_mqtt_closed_total", "counter", "Connections that the broker ended.");
  by_cause("doctor_mqtt_closed_total",
           {{"malformed", mqtt.closed_malformed},
            {"protocol", mqtt.closed_protocol},
            {"packet_size", mqtt.closed_packet_size},
            {"state", mqtt.closed_state},
            {"receive_maximum", mqtt.closed_receive_maximum},
            {"connect_timeout", mqtt.closed_connect_timeout},
            {"keep_alive", mqtt.closed_keep_alive},
            {"slow", mqtt.closed_slow},
            {"behind", mqtt.closed_behind},
            {"taken_over", mqtt.closed_taken_over},
            {"session_ended", mqtt.closed_session_ended},
            {"operator", mqtt.closed_operator},
            {"websocket", shared_.websockets_broken.load(std::memory_order_relaxed)}});
  const MqttState::Figures state = shared_.mqtt->state_figures();
  out.single("doctor_mqtt_state_batches_total", "counter",
             "Durable writes of what is kept of MQTT.", state.batches);
  out.single("doctor_mqtt_state_records_total", "counter", "Records written or erased by them.",
             state.records);
  out.single("doctor_mqtt_state_written_bytes_total", "counter", "Bytes of those records.",
             state.bytes);
  out.single("doctor_mqtt_state_failures_total", "counter",
             "Writes that failed and are tried again every second.", state.failures);
  out.single("doctor_mqtt_state_waiting", "gauge", "Records that wait to be written.",
             state.waiting);
  out.single("doctor_mqtt_state_bytes", "gauge", "Size on disk of what is kept of MQTT.",
             state.size_on_disk);
  write_stomp(out, stomp.broker);
  write_hub(out, stomp.hub);
  if (shared_.rpc != nullptr) shared_.rpc->figures().write(out);
  if (shared_.event_rules != nullptr) {
    write_event_rules(out, shared_.event_rules->figures(), stomp.hub.events_not_kept);
  }
  if (shared_.upstreams != nullptr) write_upstreams(out, shared_.upstreams->figures());
  return out.take();
}

}  // namespace doctor::server
