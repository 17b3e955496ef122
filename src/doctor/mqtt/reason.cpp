#include "doctor/mqtt/reason.hpp"

#include <initializer_list>
#include <stdexcept>
#include <string>

namespace doctor::mqtt {
namespace {

constexpr std::uint32_t packets(std::initializer_list<PacketType> types) {
  std::uint32_t mask = 0;
  for (const PacketType type : types) mask |= 1u << static_cast<unsigned>(type);
  return mask;
}

// The column "Packets" of the table in §2.4.
std::uint32_t packets_with(Reason reason) {
  using enum PacketType;
  constexpr std::uint32_t answers =
      packets({connack, puback, pubrec, suback, unsuback, disconnect});
  constexpr std::uint32_t ends = packets({connack, disconnect});
  switch (reason) {
    case Reason::success:
      return packets(
          {connack, puback, pubrec, pubrel, pubcomp, suback, unsuback, disconnect, auth});
    case Reason::granted_qos_1:
    case Reason::granted_qos_2:
      return packets({suback});
    case Reason::no_matching_subscribers:
      return packets({puback, pubrec});
    case Reason::no_subscription_existed:
      return packets({unsuback});
    case Reason::continue_authentication:
    case Reason::reauthenticate:
      return packets({auth});
    case Reason::unspecified_error:
    case Reason::implementation_specific_error:
    case Reason::not_authorized:
      return answers;
    case Reason::unsupported_protocol_version:
    case Reason::client_identifier_not_valid:
    case Reason::bad_user_name_or_password:
    case Reason::server_unavailable:
    case Reason::banned:
      return packets({connack});
    case Reason::malformed_packet:
    case Reason::protocol_error:
    case Reason::server_busy:
    case Reason::bad_authentication_method:
    case Reason::packet_too_large:
    case Reason::retain_not_supported:
    case Reason::qos_not_supported:
    case Reason::use_another_server:
    case Reason::server_moved:
    case Reason::connection_rate_exceeded:
      return ends;
    case Reason::disconnect_with_will:
    case Reason::server_shutting_down:
    case Reason::keep_alive_timeout:
    case Reason::session_taken_over:
    case Reason::receive_maximum_exceeded:
    case Reason::topic_alias_invalid:
    case Reason::message_rate_too_high:
    case Reason::administrative_action:
    case Reason::maximum_connect_time:
      return packets({disconnect});
    case Reason::topic_filter_invalid:
      return packets({suback, unsuback, disconnect});
    case Reason::topic_name_invalid:
    case Reason::payload_format_invalid:
      return packets({connack, puback, pubrec, disconnect});
    case Reason::packet_identifier_in_use:
      return packets({puback, pubrec, suback, unsuback});
    case Reason::packet_identifier_not_found:
      return packets({pubrel, pubcomp});
    case Reason::quota_exceeded:
      return packets({connack, puback, pubrec, suback, disconnect});
    case Reason::shared_subscriptions_not_supported:
    case Reason::subscription_identifiers_not_supported:
    case Reason::wildcard_subscriptions_not_supported:
      return packets({suback, disconnect});
  }
  return 0;
}

}  // namespace

bool is_allowed(Reason reason, PacketType packet) {
  return (packets_with(reason) >> static_cast<unsigned>(packet) & 1) != 0;
}

void throw_exception_from_error(const Refusal& refusal, const boost::source_location& where) {
  throw std::logic_error(std::string(where.function_name()) +
                         ": a refused result was used: " + std::string(refusal.detail));
}

}  // namespace doctor::mqtt
