#include <algorithm>

#include "doctor/base/crypto.hpp"
#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/topic.hpp"

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

// At most so many bytes of a text, none of its characters cut.
std::string_view cut_text(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while ((static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

// Of a user name, to be shown to operators.
constexpr std::size_t user_name_kept = 128;

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
    ++figures_.refused_authentication;
    return reject(client, Reason::bad_authentication_method,
                  "there is no enhanced authentication");  // [MQTT-4.12.0-1]
  }

  Credentials credentials;
  if (connect.user_name) credentials.user_name = std::string(*connect.user_name);
  if (connect.password) credentials.password = std::string(*connect.password);
  auto login = login_(credentials);
  if (!login) return refuse_login(client, connect.user_name || connect.password);
  if (const auto refusal =
          connect.will ? refused_will(login->principal, *connect.will) : std::nullopt) {
    ++figures_.refused_will;
    return reject(client, refusal->reason, refusal->detail);
  }
  if (const auto refusal = refused_client_id(connect)) {
    ++figures_.refused_client_id;
    return reject(client, refusal->reason, refusal->detail);
  }
  welcome(client, connect, std::move(*login));
}

void Broker::Impl::refuse_connect(Client& client, const Frame& frame, const Refusal& refusal) {
  // An older client understands the old CONNACK, a newer one rather the new.
  const auto level = protocol_level(frame);
  client.version = level && *level >= 5 ? Version::v5_0 : Version::v3_1_1;
  const bool readable =
      level && (*level == 5 || refusal.reason == Reason::unsupported_protocol_version);
  if (!readable) return fail(client, refusal);
  ++(refusal.reason == Reason::malformed_packet               ? figures_.closed_malformed
     : refusal.reason == Reason::unsupported_protocol_version ? figures_.refused_version
                                                              : figures_.closed_protocol);
  reject(client, refusal.reason, refusal.detail);
}

void Broker::Impl::refuse_login(Client& client, bool with_credentials) {
  ++figures_.refused_credentials;
  const auto delay =
      with_credentials ? failed_login_(client.peer, now_) : std::chrono::milliseconds{};
  if (delay <= std::chrono::milliseconds{}) {
    return reject(client, Reason::bad_user_name_or_password, {});
  }
  client.state = Client::State::refusing;
  client.deadline = now_ + delay;
  arm(client);
}

void Broker::Impl::reject(Client& client, Reason reason, std::string_view detail) {
  const bool has_code = reason == Reason::unsupported_protocol_version ||
                        reason == Reason::client_identifier_not_valid ||
                        reason == Reason::bad_user_name_or_password ||
                        reason == Reason::not_authorized;
  const std::string_view why = detail.empty() ? "bad user name or password" : detail;
  warnings_.warn(Warning::refused, "MQTT: refused " + client.peer + ": " + std::string(why), now_);
  if (client.is_v5() || has_code) {
    Connack connack{false, reason, {}};
    if (!detail.empty()) connack.properties.add(PropertyId::reason_string, detail);
    send(client, connack);
  }
  drop(client);
}

std::optional<Refusal> Broker::Impl::refused_will(const document::Principal& principal,
                                                  const Will& will) const {
  if (!principal.may_write()) {
    return Refusal{Reason::not_authorized, "a session may not publish, nor may its will"};
  }
  if (is_reserved(will.topic) || topic_levels(will.topic) > limits_.mqtt_topic_levels) {
    return Refusal{Reason::topic_name_invalid, "the topic of the will is reserved or too deep"};
  }
  return std::nullopt;
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

// 3.1.1 has no way to tell a client of another interval than its own, so there it holds.
std::uint16_t Broker::Impl::keep_alive_of(const Connect& connect) const {
  const auto max = std::chrono::ceil<std::chrono::seconds>(limits_.mqtt_keep_alive_max).count();
  const bool within = connect.keep_alive != 0 && connect.keep_alive <= max;
  if (max == 0 || within || connect.version != Version::v5_0) return connect.keep_alive;
  return static_cast<std::uint16_t>(max);
}

Clock::duration Broker::Impl::expiry_of(std::uint32_t seconds) const {
  return std::min<Clock::duration>(std::chrono::seconds(seconds), limits_.mqtt_session_expiry_max);
}

void Broker::Impl::welcome(Client& client, const Connect& connect, LoggedIn login) {
  const Properties& asked = connect.properties;
  const auto number = [&](PropertyId id, std::uint32_t otherwise) {
    return asked.number(id).value_or(otherwise);
  };
  client.quota = static_cast<std::uint16_t>(
      std::min<std::uint32_t>(number(PropertyId::receive_maximum, 65'535), limits_.mqtt_inflight));
  client.tells_problems = number(PropertyId::request_problem_information, 1) == 1;
  const std::uint16_t keep_alive = keep_alive_of(connect);
  client.silence_max = std::chrono::milliseconds(keep_alive * 1500);  // [MQTT-3.1.2-22]
  client.sent_aliases = SentAliases(static_cast<std::uint16_t>(std::min<std::uint32_t>(
      number(PropertyId::topic_alias_maximum, 0), limits_.mqtt_topic_aliases)));
  client.splitter.set_packet_max(limits_.mqtt_packet);
  client.state = Client::State::connected;
  client.connected_at = now_;
  client.clean_start = connect.clean_start;
  client.user_name = cut_text(connect.user_name.value_or(std::string_view{}), user_name_kept);

  // 3.1.1: with Clean Session 0 a session lasts as long as the server has room for it.
  constexpr std::uint32_t for_ever = 0xFFFF'FFFF;
  const std::uint32_t wanted = client.is_v5() ? number(PropertyId::session_expiry_interval, 0)
                                              : (connect.clean_start ? 0 : for_ever);
  client.expiry_was_zero = wanted == 0;

  std::string key = key_of(login.principal, connect.client_id);
  std::string assigned;
  for (std::uint64_t n = client.id.value; connect.client_id.empty(); ++n) {
    assigned = "doctor-" + std::to_string(n);
    key = key_of(login.principal, assigned);
    if (!by_key_.contains(key)) break;
  }
  const auto existing = [&] {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : found->second;
  };
  if (Session* session = existing(); session != nullptr && session->client == nullptr) {
    check_time(*session);  // it may have ended since the last tick, or before a restart
  }
  if (Session* session = existing(); session != nullptr && session->client != nullptr) {
    end(*session->client, Reason::session_taken_over, "the client has connected again",
        &Figures::closed_taken_over);
  }
  if (Session* session = existing(); session != nullptr && connect.clean_start) {
    end_session(*session);  // [MQTT-3.1.2-4]
  }
  Session* session = existing();
  if (session != nullptr && !resume(client, *session, login)) {
    ++figures_.sessions_ended_behind;
    warnings_.warn(Warning::behind,
                   "MQTT: the session of " + client.peer +
                       " began anew: what it was to hear has left the commit log (log_retention, "
                       "log_size)",
                   now_);
    end_session(*session);
    session = nullptr;
  }
  Connack connack;
  connack.session_present = session != nullptr;
  if (session == nullptr) {
    session = &make_session(std::move(key), login);
    session->client = &client;
    client.session = session;
  }
  session->expiry = expiry_of(wanted);
  if (session->expiry == Clock::duration{}) forget(*session);  // it ends with this connection
  if (connect.will) session->will = will_of(*connect.will, session->publisher);
  if (session->expiry != Clock::duration{} || session->will) keep(*session);

  Properties& told = connack.properties;
  const auto expiry = std::chrono::duration_cast<std::chrono::seconds>(session->expiry).count();
  if (expiry != wanted) {
    told.add(PropertyId::session_expiry_interval, static_cast<std::uint32_t>(expiry));
  }
  told.add(PropertyId::receive_maximum, limits_.mqtt_inflight);
  told.add(PropertyId::maximum_packet_size, static_cast<std::uint32_t>(limits_.mqtt_packet));
  if (connect.client_id.empty()) told.add(PropertyId::assigned_client_identifier, assigned);
  told.add(PropertyId::topic_alias_maximum, limits_.mqtt_topic_aliases);
  if (keep_alive != connect.keep_alive) {  // [MQTT-3.1.2-21]
    told.add(PropertyId::server_keep_alive, keep_alive);
  }
  arm(client);
  arm(*session);
  answer(client, connack);
}

Session::Will Broker::Impl::will_of(const Will& will, std::uint64_t publisher) const {
  Publish publish;
  publish.qos = will.qos;
  publish.retain = will.retain;
  publish.topic = will.topic;
  publish.payload = will.payload;
  publish.properties = will.properties;
  const auto delay = will.properties.number(PropertyId::will_delay_interval).value_or(0);
  return {Publication::of_client(publish, now_, publisher), std::chrono::seconds(delay)};
}

}  // namespace doctor::mqtt
