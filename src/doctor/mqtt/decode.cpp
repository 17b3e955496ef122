#include "doctor/mqtt/decode.hpp"

#include <utility>

#include "doctor/mqtt/topic.hpp"
#include "doctor/mqtt/wire.hpp"

namespace doctor::mqtt {
namespace {

constexpr std::string_view protocol_name = "MQTT";
constexpr std::string_view old_name = "MQIsdp";  // of 3.1, the version before the standard

bool is_v5(Version version) {
  return version == Version::v5_0;
}

void check_topic(Reader& reader, std::string_view topic) {
  if (!is_topic_name(topic)) reader.fail(Reason::malformed_packet, "not a topic name");
}

void check_response_topic(Reader& reader, const Properties& properties) {
  const auto topic = properties.text(PropertyId::response_topic);
  if (topic && !is_topic_name(*topic)) {
    reader.fail(Reason::protocol_error, "the response topic has wildcards");
  }
}

void check_authentication(Reader& reader, const Properties& properties) {
  if (properties.has(PropertyId::authentication_data) &&
      !properties.has(PropertyId::authentication_method)) {
    reader.fail(Reason::protocol_error, "authentication data without a method");
  }
}

Reason read_reason(Reader& reader, PacketType packet) {
  const auto reason = static_cast<Reason>(reader.byte());
  if (!reader.failed() && !is_allowed(reason, packet)) {
    reader.fail(Reason::protocol_error, "a reason code that this packet may not have");
  }
  return reason;
}

std::uint16_t read_packet_id(Reader& reader) {
  const std::uint16_t id = reader.two_bytes();
  if (!reader.failed() && id == 0) {
    reader.fail(Reason::protocol_error, "the packet identifier is 0");  // [MQTT-2.2.1-3]
  }
  return id;
}

Will read_will(Reader& reader, Version version, unsigned flags) {
  Will will;
  will.qos = static_cast<QoS>(flags >> 3 & 3);
  will.retain = (flags & 0x20) != 0;
  if (is_v5(version)) {
    will.properties = read_properties(reader, PacketType::connect, PropertyPlace::will);
    check_response_topic(reader, will.properties);
  }
  will.topic = reader.text();
  will.payload = reader.binary();
  if (!reader.failed()) check_topic(reader, will.topic);
  return will;
}

Connect read_connect(Reader& reader) {
  Connect connect;
  const std::string_view name = reader.binary();
  if (name != protocol_name && name != old_name) {
    reader.fail(Reason::malformed_packet, "not the protocol name MQTT");
  }
  const std::uint8_t level = reader.byte();
  if (!reader.failed() && (name == old_name || (level != 4 && level != 5))) {
    reader.fail(Reason::unsupported_protocol_version, "MQTT 3.1.1 and 5.0 are served");
  }
  if (reader.failed()) return connect;
  connect.version = static_cast<Version>(level);

  const unsigned flags = reader.byte();
  const bool has_user_name = (flags & 0x80) != 0;
  const bool has_password = (flags & 0x40) != 0;
  const bool has_will = (flags & 0x04) != 0;
  const unsigned will_flags = flags & 0x38;
  const bool wrong = (flags & 0x01) != 0 ||             // [MQTT-3.1.2-3]
                     (!has_will && will_flags != 0) ||  // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
                     (will_flags & 0x18) == 0x18 ||     // [MQTT-3.1.2-12]
                     (!is_v5(connect.version) && has_password && !has_user_name);  // 3.1.2-22
  if (wrong) reader.fail(Reason::malformed_packet, "the flags of CONNECT contradict each other");
  connect.clean_start = (flags & 0x02) != 0;
  connect.keep_alive = reader.two_bytes();
  if (is_v5(connect.version)) {
    connect.properties = read_properties(reader, PacketType::connect);
    check_authentication(reader, connect.properties);
  }
  connect.client_id = reader.text();
  if (has_will) connect.will = read_will(reader, connect.version, flags);
  if (has_user_name) connect.user_name = reader.text();
  if (has_password) connect.password = reader.binary();
  return connect;
}

// The return codes of 3.1.1 §3.2.2.3 are 0 to 5.
constexpr Reason return_codes[] = {Reason::success,
                                   Reason::unsupported_protocol_version,
                                   Reason::client_identifier_not_valid,
                                   Reason::server_unavailable,
                                   Reason::bad_user_name_or_password,
                                   Reason::not_authorized};

Connack read_connack(Reader& reader, Version version) {
  Connack connack;
  const std::uint8_t flags = reader.byte();
  if (flags > 1) reader.fail(Reason::malformed_packet, "reserved flags of CONNACK are set");
  connack.session_present = flags == 1;
  if (is_v5(version)) {
    connack.reason = read_reason(reader, PacketType::connack);
    connack.properties = read_properties(reader, PacketType::connack);
    check_authentication(reader, connack.properties);
  } else {
    const std::uint8_t code = reader.byte();
    if (code < std::size(return_codes)) {
      connack.reason = return_codes[code];
    } else {
      reader.fail(Reason::malformed_packet, "a return code that is reserved");
    }
  }
  if (connack.session_present && connack.reason != Reason::success) {
    reader.fail(Reason::protocol_error, "a session cannot be present when refused");
  }
  return connack;
}

Publish read_publish(Reader& reader, Version version, std::uint8_t flags) {
  Publish publish;
  publish.dup = (flags & 8) != 0;
  publish.qos = static_cast<QoS>(flags >> 1 & 3);
  publish.retain = (flags & 1) != 0;
  publish.topic = reader.text();
  if (publish.qos != QoS::at_most_once) publish.packet_id = read_packet_id(reader);
  if (is_v5(version)) {
    publish.properties = read_properties(reader, PacketType::publish);
    check_response_topic(reader, publish.properties);
  }
  // An empty topic is what an alias stands for.
  const bool aliased = publish.topic.empty() && publish.properties.has(PropertyId::topic_alias);
  if (!reader.failed() && !aliased) check_topic(reader, publish.topic);
  publish.payload = reader.take_rest();
  return publish;
}

// The reason may be left out if it is 0 and there are no properties, and the properties if there
// are none (§3.4.2.1, §3.14.2.1, §3.15.2.1).
template <class P>
void read_reason_and_properties(Reader& reader, Version version, P& packet) {
  if (!is_v5(version) || reader.at_end()) return;
  packet.reason = read_reason(reader, P::type);
  if (!reader.at_end()) packet.properties = read_properties(reader, P::type);
}

template <class Ack>
Ack read_acknowledgement(Reader& reader, Version version) {
  Ack ack;
  ack.packet_id = read_packet_id(reader);
  read_reason_and_properties(reader, version, ack);
  return ack;
}

// At least one filter [MQTT-3.8.3-2] [MQTT-3.10.3-2].
void require_payload(Reader& reader) {
  if (!reader.failed() && reader.at_end()) {
    reader.fail(Reason::protocol_error, "a packet without a topic filter");
  }
}

Subscribe read_subscribe(Reader& reader, Version version) {
  Subscribe subscribe;
  subscribe.packet_id = read_packet_id(reader);
  if (is_v5(version)) subscribe.properties = read_properties(reader, PacketType::subscribe);
  require_payload(reader);
  while (!reader.at_end()) {
    Subscribe::Request request;
    request.filter = reader.text();
    const unsigned options = reader.byte();
    if (reader.failed()) break;
    if (!is_topic_filter(request.filter)) {
      reader.fail(Reason::malformed_packet, "not a topic filter");
    }
    request.options.qos = static_cast<QoS>(options & 3);
    request.options.no_local = (options & 4) != 0;
    request.options.retain_as_published = (options & 8) != 0;
    request.retain_handling = static_cast<std::uint8_t>(options >> 4 & 3);
    const unsigned reserved = is_v5(version) ? 0xC0 : 0xFC;
    if ((options & reserved) != 0 || (options & 3) == 3) {
      reader.fail(Reason::malformed_packet, "reserved bits of subscription options are set");
    } else if (request.retain_handling == 3) {
      reader.fail(Reason::protocol_error, "retain handling 3");
    } else if (request.options.no_local && is_shared(request.filter)) {
      reader.fail(Reason::protocol_error, "no local with a shared subscription");
    }
    subscribe.requests.push_back(request);
  }
  return subscribe;
}

template <class Ack>
void read_reasons(Reader& reader, Ack& ack) {
  while (!reader.at_end()) ack.reasons.push_back(read_reason(reader, Ack::type));
}

Suback read_suback(Reader& reader, Version version) {
  Suback suback;
  suback.packet_id = read_packet_id(reader);
  if (is_v5(version)) suback.properties = read_properties(reader, PacketType::suback);
  read_reasons(reader, suback);
  for (const Reason reason : suback.reasons) {
    if (!is_v5(version) && is_failure(reason) && reason != Reason::unspecified_error) {
      reader.fail(Reason::malformed_packet, "a return code that is reserved");
    }
  }
  return suback;
}

Unsubscribe read_unsubscribe(Reader& reader, Version version) {
  Unsubscribe unsubscribe;
  unsubscribe.packet_id = read_packet_id(reader);
  if (is_v5(version)) unsubscribe.properties = read_properties(reader, PacketType::unsubscribe);
  require_payload(reader);
  while (!reader.at_end()) {
    unsubscribe.filters.push_back(reader.text());
    if (!reader.failed() && !is_topic_filter(unsubscribe.filters.back())) {
      reader.fail(Reason::malformed_packet, "not a topic filter");
    }
  }
  return unsubscribe;
}

Unsuback read_unsuback(Reader& reader, Version version) {
  Unsuback unsuback;
  unsuback.packet_id = read_packet_id(reader);
  if (!is_v5(version)) return unsuback;
  unsuback.properties = read_properties(reader, PacketType::unsuback);
  read_reasons(reader, unsuback);
  return unsuback;
}

Auth read_auth(Reader& reader, Version version) {
  Auth auth;
  if (!is_v5(version)) reader.fail(Reason::malformed_packet, "3.1.1 has no AUTH");
  read_reason_and_properties(reader, version, auth);
  check_authentication(reader, auth.properties);
  return auth;
}

Packet read_packet(Reader& reader, const Frame& frame, Version version) {
  switch (frame.type) {
    case PacketType::connect:
      return read_connect(reader);
    case PacketType::connack:
      return read_connack(reader, version);
    case PacketType::publish:
      return read_publish(reader, version, frame.flags);
    case PacketType::puback:
      return read_acknowledgement<Puback>(reader, version);
    case PacketType::pubrec:
      return read_acknowledgement<Pubrec>(reader, version);
    case PacketType::pubrel:
      return read_acknowledgement<Pubrel>(reader, version);
    case PacketType::pubcomp:
      return read_acknowledgement<Pubcomp>(reader, version);
    case PacketType::subscribe:
      return read_subscribe(reader, version);
    case PacketType::suback:
      return read_suback(reader, version);
    case PacketType::unsubscribe:
      return read_unsubscribe(reader, version);
    case PacketType::unsuback:
      return read_unsuback(reader, version);
    case PacketType::pingreq:
      return Pingreq{};
    case PacketType::pingresp:
      return Pingresp{};
    case PacketType::disconnect: {
      Disconnect disconnect;
      read_reason_and_properties(reader, version, disconnect);
      return disconnect;
    }
    case PacketType::auth:
      return read_auth(reader, version);
  }
  reader.fail(Reason::malformed_packet, "a packet of a reserved type");
  return Pingreq{};
}

}  // namespace

Decoded<Packet> decode(const Frame& frame, Version version) {
  Reader reader(frame.body);
  Packet packet = read_packet(reader, frame, version);
  if (!reader.at_end()) reader.fail(Reason::malformed_packet, "bytes after the end of the packet");
  if (reader.failed()) return *reader.failure();
  return packet;
}

std::optional<std::uint8_t> protocol_level(const Frame& connect) {
  Reader reader(connect.body);
  const std::string_view name = reader.binary();
  const std::uint8_t level = reader.byte();
  if ((name != protocol_name && name != old_name) || reader.failed()) return std::nullopt;
  return level;
}

}  // namespace doctor::mqtt
