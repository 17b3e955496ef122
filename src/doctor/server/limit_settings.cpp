#include "doctor/server/limit_settings.hpp"

#include <array>
#include <limits>

#include "doctor/base/text.hpp"

namespace doctor::server {
namespace {

using Unit = LimitSetting::Unit;

constexpr std::uint64_t a_lot = 1ull << 53;  // what a JSON number can say exactly
constexpr std::uint64_t a_value_of_the_store = 1u << 31;
constexpr std::uint64_t a_mqtt_packet = 268'435'455;     // MQTT 5.0 §1.5.5
constexpr std::uint64_t a_mqtt_keep_alive = 65'535'000;  // §3.1.2.10
constexpr std::uint64_t a_message = 1u << 30;
constexpr std::uint64_t a_year = 366ull * 24 * 3600 * 1000;

// Nesting is recursion in the scanner: its most is what a thread's stack surely holds.
constexpr std::array settings = {
    LimitSetting{"document_size", Unit::bytes, &Limits::document_size, 1, a_value_of_the_store},
    LimitSetting{"request_body", Unit::bytes, &Limits::request_body, 1, a_lot},
    LimitSetting{"nesting", Unit::count, &Limits::nesting, 1, 1'000},
    LimitSetting{"document_fields", Unit::count, &Limits::document_fields, 1, 1'000'000},
    LimitSetting{"bulk_documents", Unit::count, &Limits::bulk_documents, 1, a_lot},
    LimitSetting{"patch_operations", Unit::count, &Limits::patch_operations, 1, a_lot},
    LimitSetting{"patch_work", Unit::bytes, &Limits::patch_work, 1, a_lot},
    LimitSetting{"collections", Unit::count, &Limits::collections, 1, a_lot},
    LimitSetting{"request_target", Unit::bytes, &Limits::request_target, 64, 1u << 30},
    LimitSetting{"query_text", Unit::bytes, &Limits::query_text, 1, 1u << 30},
    LimitSetting{"query_nesting", Unit::count, &Limits::query_nesting, 1, 500},
    LimitSetting{"query_orders", Unit::count, &Limits::query_orders, 1, 64},
    LimitSetting{"query_documents", Unit::count, &Limits::query_documents, 1, a_lot},
    LimitSetting{"answer_size", Unit::bytes, &Limits::answer_size, 1, a_lot},
    LimitSetting{"cursor_size", Unit::bytes, &Limits::cursor_size, 1, 1u << 20},
    LimitSetting{"answer_cache", Unit::bytes, &Limits::answer_cache, 0, std::uint64_t{1} << 40},
    LimitSetting{"connections", Unit::count, &Limits::connections, 1, 10'000'000},
    LimitSetting{"request_headers", Unit::bytes, &Limits::request_headers, 256, 1u << 30},
    LimitSetting{"bodies_under_way", Unit::bytes, &Limits::bodies_under_way, 1, a_lot},
    LimitSetting{"answers_under_way", Unit::bytes, &Limits::answers_under_way, 1, a_lot},
    LimitSetting{"commands_waiting", Unit::count, &Limits::commands_waiting, 1, a_lot},
    LimitSetting{"tls_handshake_timeout", Unit::duration, &Limits::tls_handshake_timeout, 1,
                 a_year},
    LimitSetting{"header_timeout", Unit::duration, &Limits::header_timeout, 1, a_year},
    LimitSetting{"body_timeout", Unit::duration, &Limits::body_timeout, 1, a_year},
    LimitSetting{"write_timeout", Unit::duration, &Limits::write_timeout, 1, a_year},
    LimitSetting{"idle_timeout", Unit::duration, &Limits::idle_timeout, 1, a_year},
    LimitSetting{"min_revision_wait", Unit::duration, &Limits::min_revision_wait, 0, a_year},
    LimitSetting{"login_delay_max", Unit::duration, &Limits::login_delay_max, 0, a_year},
    LimitSetting{"shutdown_grace", Unit::duration, &Limits::shutdown_grace, 0, a_year},
    LimitSetting{"exports", Unit::count, &Limits::exports, 0, 1'000},
    LimitSetting{"export_deadline", Unit::duration, &Limits::export_deadline, 1, a_year},
    LimitSetting{"mqtt_packet", Unit::bytes, &Limits::mqtt_packet, 128, a_mqtt_packet},
    LimitSetting{"mqtt_subscriptions", Unit::count, &Limits::mqtt_subscriptions, 1, a_lot},
    LimitSetting{"mqtt_topic_levels", Unit::count, &Limits::mqtt_topic_levels, 1, 65'536},
    LimitSetting{"mqtt_client_id", Unit::bytes, &Limits::mqtt_client_id, 1, 65'535},
    LimitSetting{"mqtt_queue_messages", Unit::count, &Limits::mqtt_queue_messages, 1, a_lot},
    LimitSetting{"mqtt_queue_bytes", Unit::bytes, &Limits::mqtt_queue_bytes, 1, a_lot},
    LimitSetting{"mqtt_backlog_bytes", Unit::bytes, &Limits::mqtt_backlog_bytes, 0, a_lot},
    LimitSetting{"mqtt_inflight", Unit::count, &Limits::mqtt_inflight, 1, 65'535},
    LimitSetting{"mqtt_topic_aliases", Unit::count, &Limits::mqtt_topic_aliases, 0, 65'535},
    LimitSetting{"mqtt_sessions", Unit::count, &Limits::mqtt_sessions, 0, a_lot},
    LimitSetting{"mqtt_session_expiry_max", Unit::duration, &Limits::mqtt_session_expiry_max, 0,
                 a_year},
    LimitSetting{"mqtt_retained_messages", Unit::count, &Limits::mqtt_retained_messages, 0, a_lot},
    LimitSetting{"mqtt_retained_bytes", Unit::bytes, &Limits::mqtt_retained_bytes, 0, a_lot},
    LimitSetting{"mqtt_state_waiting", Unit::bytes, &Limits::mqtt_state_waiting, 0, a_lot},
    LimitSetting{"mqtt_connect_timeout", Unit::duration, &Limits::mqtt_connect_timeout, 1, a_year},
    LimitSetting{"mqtt_keep_alive_max", Unit::duration, &Limits::mqtt_keep_alive_max, 0,
                 a_mqtt_keep_alive},
    LimitSetting{"mqtt_stalled_timeout", Unit::duration, &Limits::mqtt_stalled_timeout, 1, a_year},
    LimitSetting{"stomp_headers", Unit::count, &Limits::stomp_headers, 8, 1'000'000},
    LimitSetting{"stomp_header_line", Unit::bytes, &Limits::stomp_header_line, 64, a_message},
    LimitSetting{"stomp_header_block", Unit::bytes, &Limits::stomp_header_block, 256, a_message},
    LimitSetting{"stomp_body", Unit::bytes, &Limits::stomp_body, 1, a_message},
    LimitSetting{"stomp_before_connect", Unit::bytes, &Limits::stomp_before_connect, 256, a_lot},
    LimitSetting{"stomp_subscriptions", Unit::count, &Limits::stomp_subscriptions, 1, a_lot},
    LimitSetting{"stomp_subscriptions_bytes", Unit::bytes, &Limits::stomp_subscriptions_bytes, 1,
                 a_lot},
    LimitSetting{"stomp_destination_segments", Unit::count, &Limits::stomp_destination_segments, 8,
                 65'536},
    LimitSetting{"stomp_transactions", Unit::count, &Limits::stomp_transactions, 0, a_lot},
    LimitSetting{"stomp_transaction_frames", Unit::count, &Limits::stomp_transaction_frames, 0,
                 a_lot},
    LimitSetting{"stomp_transaction_bytes", Unit::bytes, &Limits::stomp_transaction_bytes, 0,
                 a_lot},
    LimitSetting{"stomp_transactions_bytes", Unit::bytes, &Limits::stomp_transactions_bytes, 0,
                 a_lot},
    LimitSetting{"stomp_outbox_frames", Unit::count, &Limits::stomp_outbox_frames, 1, a_lot},
    LimitSetting{"stomp_outbox_bytes", Unit::bytes, &Limits::stomp_outbox_bytes, 1u << 10, a_lot},
    LimitSetting{"stomp_outboxes_bytes", Unit::bytes, &Limits::stomp_outboxes_bytes, 1u << 10,
                 a_lot},
    LimitSetting{"stomp_unacked_messages", Unit::count, &Limits::stomp_unacked_messages, 1, a_lot},
    LimitSetting{"stomp_unacked_bytes", Unit::bytes, &Limits::stomp_unacked_bytes, 1, a_lot},
    LimitSetting{"stomp_connect_timeout", Unit::duration, &Limits::stomp_connect_timeout, 1,
                 a_year},
    LimitSetting{"stomp_stalled_timeout", Unit::duration, &Limits::stomp_stalled_timeout, 1,
                 a_year},
    LimitSetting{"rpc_batch", Unit::count, &Limits::rpc_batch, 1, a_lot},
    LimitSetting{"rpc_calls", Unit::count, &Limits::rpc_calls, 1, a_lot},
    LimitSetting{"rpc_calls_bytes", Unit::bytes, &Limits::rpc_calls_bytes, 1, a_lot},
    LimitSetting{"events_filters", Unit::count, &Limits::events_filters, 1, 10'000},
    LimitSetting{"events_backlog_bytes", Unit::bytes, &Limits::events_backlog_bytes, 0, a_lot},
    LimitSetting{"events_waiting", Unit::count, &Limits::events_waiting, 1, a_lot},
    LimitSetting{"events_waiting_bytes", Unit::bytes, &Limits::events_waiting_bytes, 1, a_lot},
    LimitSetting{"events_commit_documents", Unit::count, &Limits::events_commit_documents, 1,
                 1'000'000},
    LimitSetting{"events_refresh_items", Unit::count, &Limits::events_refresh_items, 1, a_lot},
    LimitSetting{"events_refresh_timeout", Unit::duration, &Limits::events_refresh_timeout, 1,
                 a_year},
    LimitSetting{"log_retention", Unit::duration, &Limits::log_retention, 1, 100 * a_year},
    LimitSetting{"log_size", Unit::bytes, &Limits::log_size, 1, a_lot},
};

struct Suffix {
  std::string_view name;
  std::uint64_t factor;
};

template <std::size_t N>
std::optional<std::uint64_t> with_suffix(std::string_view text,
                                         const std::array<Suffix, N>& suffixes) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_unsigned(text.substr(0, digits), a_lot);
  if (!number) return std::nullopt;
  const std::string_view suffix = trimmed(text.substr(digits));
  for (const Suffix& known : suffixes) {
    if (suffix != known.name) continue;
    if (*number > a_lot / known.factor) return std::nullopt;
    return *number * known.factor;
  }
  return std::nullopt;
}

}  // namespace

std::span<const LimitSetting> limit_settings() {
  return settings;
}

std::uint64_t LimitSetting::get(const Limits& limits) const {
  return std::visit(
      [&](auto member) -> std::uint64_t {
        if constexpr (std::is_same_v<decltype(member), std::chrono::milliseconds Limits::*>) {
          return static_cast<std::uint64_t>((limits.*member).count());
        } else {
          return limits.*member;
        }
      },
      place);
}

void LimitSetting::set(Limits& limits, std::uint64_t value) const {
  std::visit(
      [&](auto member) {
        using Field = std::remove_reference_t<decltype(limits.*member)>;
        if constexpr (std::is_same_v<Field, std::chrono::milliseconds>) {
          limits.*member = std::chrono::milliseconds(value);
        } else {
          limits.*member = static_cast<Field>(value);
        }
      },
      place);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  static constexpr std::array<Suffix, 9> suffixes = {{{"", 1},
                                                      {"B", 1},
                                                      {"kB", 1'000},
                                                      {"MB", 1'000'000},
                                                      {"GB", 1'000'000'000},
                                                      {"KiB", 1u << 10},
                                                      {"MiB", 1u << 20},
                                                      {"GiB", 1u << 30},
                                                      {"TiB", 1ull << 40}}};
  return with_suffix(text, suffixes);
}

std::optional<std::uint64_t> parse_duration(std::string_view text) {
  static constexpr std::array<Suffix, 5> suffixes = {
      {{"ms", 1}, {"s", 1'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  return with_suffix(text, suffixes);
}

}  // namespace doctor::server
