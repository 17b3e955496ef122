#include "doctor/server/stomp_metrics.hpp"

#include <initializer_list>
#include <utility>

namespace doctor::server {
namespace {

using Counts = std::initializer_list<std::pair<std::string_view, std::uint64_t>>;

void write_by(MetricsText& out, std::string_view label, std::string_view family,
              std::string_view help, Counts counts) {
  out.family(family, "counter", help);
  for (const auto& [value, count] : counts) out.sample(family, {{label, value}}, count);
}

}  // namespace

void write_stomp(MetricsText& out, const stomp::Figures& figures) {
  out.single("doctor_stomp_subscriptions", "gauge", "Subscriptions of connected clients.",
             figures.subscriptions);
  out.single("doctor_stomp_queued_bytes", "gauge", "Bytes waiting for clients.",
             figures.queued_bytes);
  out.single("doctor_stomp_outboxes_bytes", "gauge",
             "The same with what waits for several counted once, bounded by stomp_outboxes_bytes.",
             figures.outboxes_bytes);
  out.single("doctor_stomp_blocked", "gauge", "Clients that are not read from, for others' sake.",
             figures.blocked);
  out.single("doctor_stomp_frames_received_total", "counter", "Frames from clients.",
             figures.frames_in);
  write_by(out, "direction", "doctor_stomp_bytes_total", "Bytes by direction.",
           {{"in", figures.bytes_in}, {"out", figures.bytes_out}});
  write_by(out, "direction", "doctor_stomp_messages_total", "SENDs that took effect, and MESSAGEs.",
           {{"in", figures.messages_in}, {"out", figures.messages_out}});
  out.single("doctor_stomp_unheard_total", "counter", "SENDs that had no subscriber.",
             figures.unheard);
  out.single("doctor_stomp_nacked_total", "counter",
             "Messages refused, or not settled when their subscription ended.", figures.nacked);
  write_by(out, "cause", "doctor_stomp_connects_refused_total", "CONNECTs refused.",
           {{"credentials", figures.refused_credentials}, {"version", figures.refused_version}});
  write_by(out, "cause", "doctor_stomp_dropped_total", "Messages that a client did not get.",
           {{"queue_full", figures.dropped_overflow},
            {"queues_full", figures.dropped_outboxes},
            {"forbidden", figures.dropped_forbidden},
            {"answer", figures.dropped_answers}});
  write_by(out, "cause", "doctor_stomp_closed_total", "Connections that the broker ended.",
           {{"malformed", figures.closed_malformed},
            {"protocol", figures.closed_protocol},
            {"limit", figures.closed_limit},
            {"forbidden", figures.closed_forbidden},
            {"connect_timeout", figures.closed_connect_timeout},
            {"heart_beat", figures.closed_heart_beat},
            {"slow", figures.closed_slow},
            {"queues_full", figures.closed_outboxes},
            {"session_ended", figures.closed_session_ended}});
}

void write_hub(MetricsText& out, const hub::Figures& figures) {
  out.single("doctor_rpc_calls_under_way", "gauge", "Calls that are not answered yet.",
             figures.calls_under_way);
  out.single("doctor_rpc_calls_bytes", "gauge", "Bytes of requests that are not answered yet.",
             figures.calls_bytes);
  out.single("doctor_rpc_calls_refused_total", "counter", "Over rpc_calls or rpc_calls_bytes.",
             figures.calls_refused);
  out.single("doctor_rpc_answers_too_large_total", "counter",
             "Over a quarter of stomp_outbox_bytes.", figures.answers_too_large);
  write_by(out, "source", "doctor_events_total", "Events, whoever heard.",
           {{"clients", figures.events}, {"documents", figures.document_events}});
  out.single("doctor_document_events_lost_total", "counter",
             "Times that changes left the commit log before there were events of them.",
             figures.document_events_lost);
}

void write_event_rules(MetricsText& out, const EventRules::Figures& figures,
                       std::uint64_t not_kept) {
  out.single("doctor_events_waiting", "gauge", "Events that wait for the rules.", figures.waiting);
  out.single("doctor_events_merged_total", "counter", "Times that a rule was applied to an event.",
             figures.merged);
  constexpr std::string_view unmerged = "doctor_events_unmerged_total";
  out.family(unmerged, "counter", "Times that a rule could not be applied to an event.");
  for (std::size_t i = 0; i < EventRules::unmerged_count; ++i) {
    const auto cause = static_cast<EventRules::Unmerged>(i);
    const bool is_dropped = cause == EventRules::Unmerged::dropped;
    out.sample(unmerged, {{"cause", name_of(cause)}},
               figures.unmerged[i] + (is_dropped ? not_kept : 0));
  }
}

void write_upstreams(MetricsText& out, const std::vector<Upstreams::Figures>& hosts) {
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                          auto figure) {
    out.family(name, type, help);
    for (const Upstreams::Figures& host : hosts) {
      out.sample(name, {{"upstream", host.name}}, std::uint64_t{figure(host)});
    }
  };
  family("doctor_upstream_connected", "gauge", "Whether an upstream is connected.",
         [](const auto& host) { return host.connected ? 1u : 0u; });
  family("doctor_upstream_connections_total", "counter", "Connections that came about.",
         [](const auto& host) { return host.connections; });
  family("doctor_upstream_events_total", "counter", "Events that an upstream told.",
         [](const auto& host) { return host.events; });
  constexpr std::string_view ignored = "doctor_upstream_ignored_total";
  out.family(ignored, "counter", "What an upstream told that was of no use.");
  for (const Upstreams::Figures& host : hosts) {
    out.sample(ignored, {{"upstream", host.name}, {"cause", "receiver"}}, host.of_others);
    out.sample(ignored, {{"upstream", host.name}, {"cause", "unmatched"}}, host.unmatched);
  }
  family("doctor_upstream_refreshes_total", "counter", "Refresh calls that were answered.",
         [](const auto& host) { return host.refreshes; });
  family("doctor_upstream_refreshes_failed_total", "counter", "Refresh calls that were not.",
         [](const auto& host) { return host.refreshes_failed; });
}

}  // namespace doctor::server
