#include <algorithm>

#include "doctor/base/crypto.hpp"
#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/decode.hpp"

namespace doctor::mqtt {
namespace {

// Client ids belong to their principal. A session's id is visible ASCII, so the parts cannot run
// into each other.
std::string key_of(const document::Principal& principal, std::string_view client_id) {
  std::string key;
  switch (principal.kind) {
    case document::Principal::Kind::connector:
      key = "c";
      break;
    case document::Principal::Kind::anyone:
      key = "a";
      break;
    case document::Principal::Kind::session:
      key = "s" + principal.session->id;
      break;
  }
  key += '\0';
  key += client_id;
  return key;
}

}  // namespace

void Broker::Impl::connect(Client& client, const Frame& frame) {
  if (frame.type != PacketType::connect) {
    return fail(client, {Reason::protocol_error, "the first packet is not CONNECT"});
  }
  const auto decoded = decode(frame, Version::v5_0);
  if (!decoded) return refuse_connect(client, frame, decoded.error());
  const Connect& connect = std::get<Connect>(*decoded);
  client.version = connect.version;
  client.packet_max =
      connect.properties.number(PropertyId::maximum_packet_size).value_or(client.packet_max);
  if (connect.properties.has(PropertyId::authentication_method)) {
    ++figures_.connects_refused;
    return reject(client, Reason::bad_authentication_method,
                  "there is no enhanced authentication");  // [MQTT-4.12.0-1]
  }

  Credentials credentials;
  if (connect.user_name) credentials.user_name = std::string(*connect.user_name);
  if (connect.password) credentials.password = std::string(*connect.password);
  auto login = login_(credentials);
  if (!login) return refuse_login(client, connect.user_name || connect.password);
  client.principal = std::move(login->principal);
  client.matched = client.principal;
  client.since = login->revision;

  auto refusal = connect.will ? refused_will(client, *connect.will) : std::nullopt;
  if (!refusal) refusal = refused_client_id(connect);
  if (refusal) return reject(client, refusal->reason, refusal->detail);
  welcome(client, connect);
}

void Broker::Impl::refuse_connect(Client& client, const Frame& frame, const Refusal& refusal) {
  // An older client understands the old CONNACK, a newer one rather the new.
  const auto level = protocol_level(frame);
  client.version = level && *level >= 5 ? Version::v5_0 : Version::v3_1_1;
  const bool readable =
      level && (*level == 5 || refusal.reason == Reason::unsupported_protocol_version);
  if (!readable) return fail(client, refusal);
  ++(refusal.reason == Reason::malformed_packet ? figures_.closed_malformed
                                                : figures_.closed_protocol);
  reject(client, refusal.reason, refusal.detail);
}

void Broker::Impl::refuse_login(Client& client, bool with_credentials) {
  ++figures_.connects_refused;
  const auto delay =
      with_credentials ? failed_login_(client.peer, now_) : std::chrono::milliseconds{};
  if (delay <= std::chrono::milliseconds{}) {
    return reject(client, Reason::bad_user_name_or_password, {});
  }
  client.state = Client::State::refusing;
  client.deadline = now_ + delay;
  refusing_.push_back(client.id);
}

void Broker::Impl::reject(Client& client, Reason reason, std::string_view detail) {
  const bool has_code = reason == Reason::unsupported_protocol_version ||
                        reason == Reason::client_identifier_not_valid ||
                        reason == Reason::bad_user_name_or_password ||
                        reason == Reason::not_authorized;
  const std::string_view why = detail.empty() ? "bad user name or password" : detail;
  warnings_.warn(Warnings::Kind::refused, "MQTT: refused " + client.peer + ": " + std::string(why),
                 now_);
  if (client.is_v5() || has_code) {
    Connack connack{false, reason, {}};
    if (!detail.empty()) connack.properties.add(PropertyId::reason_string, detail);
    send(client, connack);
  }
  drop(client);
}

std::optional<Refusal> Broker::Impl::refused_will(const Client& client, const Will& will) const {
  if (!client.principal.may_write()) {
    return Refusal{Reason::not_authorized, "a session may not publish, nor may its will"};
  }
  if (will.qos == QoS::exactly_once) {
    return Refusal{Reason::qos_not_supported, "QoS 2 is not supported"};
  }
  if (will.retain) {
    return Refusal{Reason::retain_not_supported, "retained messages are not supported"};
  }
  return Refusal{Reason::implementation_specific_error, "wills are not supported"};
}

std::optional<Refusal> Broker::Impl::refused_client_id(const Connect& connect) const {
  if (connect.client_id.size() > limits_.mqtt_client_id) {
    return Refusal{Reason::client_identifier_not_valid,
                   "the client identifier is longer than the limit mqtt_client_id"};
  }
  const bool must_be_named = connect.version != Version::v5_0 && !connect.clean_start;
  if (connect.client_id.empty() && must_be_named) {  // [MQTT-3.1.3-8 of 3.1.1]
    return Refusal{Reason::client_identifier_not_valid,
                   "an empty client identifier needs Clean Session 1"};
  }
  return std::nullopt;
}

void Broker::Impl::welcome(Client& client, const Connect& connect) {
  std::string assigned;
  client.key = key_of(client.principal, connect.client_id);
  for (std::uint64_t number = client.id.value; connect.client_id.empty(); ++number) {
    assigned = "doctor-" + std::to_string(number);
    client.key = key_of(client.principal, assigned);
    if (!by_key_.contains(client.key)) break;
  }
  if (const auto old = by_key_.find(client.key); old != by_key_.end()) {
    end(*old->second, Reason::session_taken_over, "the client has connected again",
        &Figures::closed_taken_over);
  }
  by_key_[client.key] = &client;
  if (client.principal.session) {
    by_session_[client.principal.session->id].push_back(client.number);
  }

  const Properties& asked = connect.properties;
  const auto number = [&](PropertyId id, std::uint32_t otherwise) {
    return asked.number(id).value_or(otherwise);
  };
  client.receive_maximum = static_cast<std::uint16_t>(
      std::min<std::uint32_t>(number(PropertyId::receive_maximum, 65'535), limits_.mqtt_inflight));
  client.tells_problems = number(PropertyId::request_problem_information, 1) == 1;
  client.session_ends_with_connection = number(PropertyId::session_expiry_interval, 0) == 0;
  client.silence_max = std::chrono::milliseconds(connect.keep_alive * 1500);  // [MQTT-3.1.2-22]
  client.splitter.set_packet_max(limits_.mqtt_packet);
  client.state = Client::State::connected;

  if (!client.is_v5() && !connect.clean_start) {
    warnings_.warn(Warnings::Kind::persistent_session,
                   "MQTT: " + client.peer +
                       " asked for a persistent session (Clean Session 0); it ends with the "
                       "connection",
                   now_);
  }

  Connack connack;
  Properties& told = connack.properties;
  told.add(PropertyId::session_expiry_interval, 0);
  told.add(PropertyId::receive_maximum, limits_.mqtt_inflight);
  told.add(PropertyId::maximum_qos, 1);
  told.add(PropertyId::retain_available, 0);
  told.add(PropertyId::maximum_packet_size, static_cast<std::uint32_t>(limits_.mqtt_packet));
  if (connect.client_id.empty()) told.add(PropertyId::assigned_client_identifier, assigned);
  told.add(PropertyId::topic_alias_maximum, 0);
  told.add(PropertyId::subscription_identifiers_available, 0);
  told.add(PropertyId::shared_subscription_available, 0);
  answer(client, connack);
}

}  // namespace doctor::mqtt
