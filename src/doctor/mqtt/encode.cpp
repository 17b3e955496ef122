#include "doctor/mqtt/encode.hpp"

#include "doctor/mqtt/wire.hpp"

namespace doctor::mqtt {
namespace {

bool is_v5(Version version) {
  return version == Version::v5_0;
}

std::uint8_t bits(QoS qos) {
  return static_cast<std::uint8_t>(qos);
}

// The return codes of 3.1.1 §3.2.2.3.
std::uint8_t return_code(Reason reason) {
  switch (reason) {
    case Reason::success:
      return 0;
    case Reason::unsupported_protocol_version:
      return 1;
    case Reason::client_identifier_not_valid:
      return 2;
    case Reason::bad_user_name_or_password:
      return 4;
    case Reason::not_authorized:
    case Reason::banned:
      return 5;
    default:
      return 3;
  }
}

// Writes a packet's body, and gives the flags of its fixed header.
struct Body {
  std::string& out;
  Version version;

  void properties(const Properties& list) const {
    if (is_v5(version)) append_properties(out, list);
  }

  std::uint8_t operator()(const Connect& connect) const {
    append_binary(out, "MQTT");
    append_byte(out, static_cast<std::uint8_t>(connect.version));
    unsigned flags = connect.clean_start ? 0x02 : 0;
    if (connect.user_name) flags |= 0x80;
    if (connect.password) flags |= 0x40;
    if (connect.will) {
      flags |= 0x04u | static_cast<unsigned>(bits(connect.will->qos)) << 3;
      if (connect.will->retain) flags |= 0x20;
    }
    append_byte(out, static_cast<std::uint8_t>(flags));
    append_two_bytes(out, connect.keep_alive);
    properties(connect.properties);
    append_binary(out, connect.client_id);
    if (connect.will) {
      properties(connect.will->properties);
      append_binary(out, connect.will->topic);
      append_binary(out, connect.will->payload);
    }
    if (connect.user_name) append_binary(out, *connect.user_name);
    if (connect.password) append_binary(out, *connect.password);
    return 0;
  }

  std::uint8_t operator()(const Connack& connack) const {
    append_byte(out, connack.session_present ? 1 : 0);
    append_byte(out, is_v5(version) ? static_cast<std::uint8_t>(connack.reason)
                                    : return_code(connack.reason));
    properties(connack.properties);
    return 0;
  }

  std::uint8_t operator()(const Publish& publish) const {
    append_binary(out, publish.topic);
    if (publish.qos != QoS::at_most_once) append_two_bytes(out, publish.packet_id);
    properties(publish.properties);
    out += publish.payload;
    return static_cast<std::uint8_t>((publish.dup ? 8 : 0) | bits(publish.qos) << 1 |
                                     (publish.retain ? 1 : 0));
  }

  template <class P>
  void reason_and_properties(const P& packet) const {
    if (!is_v5(version)) return;
    if (packet.reason == Reason::success && packet.properties.empty()) return;
    append_byte(out, static_cast<std::uint8_t>(packet.reason));
    if (!packet.properties.empty()) append_properties(out, packet.properties);
  }

  template <PacketType type>
  std::uint8_t operator()(const Acknowledgement<type>& ack) const {
    append_two_bytes(out, ack.packet_id);
    reason_and_properties(ack);
    return type == PacketType::pubrel ? 2 : 0;
  }

  std::uint8_t operator()(const Subscribe& subscribe) const {
    append_two_bytes(out, subscribe.packet_id);
    properties(subscribe.properties);
    for (const Subscribe::Request& request : subscribe.requests) {
      append_binary(out, request.filter);
      unsigned options = bits(request.options.qos);
      if (is_v5(version)) {
        if (request.options.no_local) options |= 4;
        if (request.options.retain_as_published) options |= 8;
        options |= static_cast<unsigned>(request.retain_handling) << 4;
      }
      append_byte(out, static_cast<std::uint8_t>(options));
    }
    return 2;
  }

  std::uint8_t operator()(const Suback& suback) const {
    append_two_bytes(out, suback.packet_id);
    properties(suback.properties);
    for (const Reason reason : suback.reasons) {
      const bool plain_failure = !is_v5(version) && is_failure(reason);
      append_byte(out,
                  static_cast<std::uint8_t>(plain_failure ? Reason::unspecified_error : reason));
    }
    return 0;
  }

  std::uint8_t operator()(const Unsubscribe& unsubscribe) const {
    append_two_bytes(out, unsubscribe.packet_id);
    properties(unsubscribe.properties);
    for (const std::string_view filter : unsubscribe.filters) append_binary(out, filter);
    return 2;
  }

  std::uint8_t operator()(const Unsuback& unsuback) const {
    append_two_bytes(out, unsuback.packet_id);
    if (!is_v5(version)) return 0;
    append_properties(out, unsuback.properties);
    for (const Reason reason : unsuback.reasons) {
      append_byte(out, static_cast<std::uint8_t>(reason));
    }
    return 0;
  }

  std::uint8_t operator()(const Pingreq&) const { return 0; }
  std::uint8_t operator()(const Pingresp&) const { return 0; }

  std::uint8_t operator()(const Disconnect& disconnect) const {
    reason_and_properties(disconnect);
    return 0;
  }

  std::uint8_t operator()(const Auth& auth) const {
    reason_and_properties(auth);
    return 0;
  }
};

}  // namespace

void encode(const Packet& packet, Version version, std::string& out) {
  if (const auto* connect = std::get_if<Connect>(&packet)) version = connect->version;
  std::string body;
  const std::uint8_t flags = std::visit(Body{body, version}, packet);
  const PacketType type =
      std::visit([](const auto& p) { return std::decay_t<decltype(p)>::type; }, packet);
  append_byte(out, static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags));
  append_variable(out, static_cast<std::uint32_t>(body.size()));
  out += body;
}

}  // namespace doctor::mqtt
