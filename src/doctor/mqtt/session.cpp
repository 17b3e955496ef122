#include <algorithm>

#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {

void Broker::Impl::handle(Client& client, const Frame& frame) {
  const auto packet = decode(frame, client.version);
  if (!packet) return fail(client, packet.error());
  std::visit([&](const auto& p) { on(client, p); }, *packet);
}

// A second CONNECT [MQTT-3.1.0-2], AUTH without a method in CONNECT [MQTT-4.12.0-7], and what only
// servers send.
template <class Unexpected>
void Broker::Impl::on(Client& client, const Unexpected&) {
  fail(client, {Reason::protocol_error, "a packet that a client may not send now"});
}

std::optional<Refusal> Broker::Impl::refused_publish(const Client& client,
                                                     const Publish& publish) const {
  if (publish.properties.has(PropertyId::subscription_identifier)) {  // [MQTT-3.3.4-6]
    return Refusal{Reason::protocol_error, "a subscription identifier from a client"};
  }
  if (publish.properties.has(PropertyId::topic_alias)) {  // [MQTT-3.3.2-9]
    return Refusal{Reason::topic_alias_invalid, "the topic alias maximum is 0"};
  }
  if (publish.qos == QoS::exactly_once) {
    return Refusal{Reason::qos_not_supported, "QoS 2 is not supported"};
  }
  if (client.is_v5() && publish.retain) {
    return Refusal{Reason::retain_not_supported, "retained messages are not supported"};
  }
  return std::nullopt;
}

void Broker::Impl::on(Client& client, const Publish& publish) {
  if (const auto refusal = refused_publish(client, publish)) return fail(client, *refusal);
  Reason reason = Reason::success;
  if (!client.principal.may_write()) {
    reason = Reason::not_authorized;
    ++figures_.refused_publish;
  } else if (is_reserved(publish.topic) ||
             topic_levels(publish.topic) > limits_.mqtt_topic_levels) {
    reason = Reason::topic_name_invalid;
    ++figures_.refused_publish;
  } else {
    ++figures_.messages_in;
    if (publish.retain) {
      warnings_.warn(Warnings::Kind::retained,
                     "MQTT: a message of " + client.peer + " was to be retained; it is not kept",
                     now_);
    }
    if (!route(publish, client)) reason = Reason::no_matching_subscribers;
  }
  if (publish.qos == QoS::at_least_once) answer(client, Puback{publish.packet_id, reason, {}});
}

void Broker::Impl::on(Client& client, const Puback& puback) {
  if (client.outbox.acknowledge(puback.packet_id)) client.moved_at = now_;
  if (!client.outbox.empty() || client.catching_up) mark(client);
}

// Nothing is sent at QoS 2, so its packets speak of messages that are not known.
void Broker::Impl::on(Client& client, const Pubrec& pubrec) {
  if (client.outbox.in_flight(pubrec.packet_id)) {
    return fail(client, {Reason::protocol_error, "PUBREC for a message of QoS 1"});
  }
  if (is_failure(pubrec.reason)) return;
  answer(client, Pubrel{pubrec.packet_id, Reason::packet_identifier_not_found, {}});
}

void Broker::Impl::on(Client& client, const Pubrel& pubrel) {
  answer(client, Pubcomp{pubrel.packet_id, Reason::packet_identifier_not_found, {}});
}

void Broker::Impl::on(Client&, const Pubcomp&) {}

Reason Broker::Impl::subscribe(Client& client, const Subscribe::Request& request) {
  if (is_shared(request.filter)) return Reason::shared_subscriptions_not_supported;
  if (topic_levels(request.filter) > limits_.mqtt_topic_levels) return Reason::topic_filter_invalid;
  if (subscriptions_.find(client.number, {request.filter, {}}) == nullptr) {
    if (client.filters.size() >= limits_.mqtt_subscriptions) return Reason::quota_exceeded;
    client.filters.emplace_back(request.filter);
  }
  SubscriptionOptions options = request.options;
  options.qos = std::min(options.qos, QoS::at_least_once);
  subscriptions_.add({client.number, options, nullptr}, {request.filter, {}});
  if (client.catching_up) {
    client.catching_up->subscriptions.add({0, options, nullptr}, {request.filter, {}});
  }
  return static_cast<Reason>(options.qos);
}

void Broker::Impl::on(Client& client, const Subscribe& packet) {
  Suback suback{packet.packet_id, {}, {}};
  const bool numbered = packet.properties.has(PropertyId::subscription_identifier);
  for (const Subscribe::Request& request : packet.requests) {
    suback.reasons.push_back(numbered ? Reason::subscription_identifiers_not_supported
                                      : subscribe(client, request));
  }
  // From when on every visible change is heard. It may not be told to a client that wants no user
  // properties [MQTT-3.1.2-29].
  const document::Revision begun(place_.revision.value - (place_.index == 0 ? 1 : 0));
  const std::string revision = std::to_string(std::max(begun, client.since).value);
  if (client.tells_problems) suback.properties.add_user("revision", revision);
  answer(client, std::move(suback));
}

void Broker::Impl::on(Client& client, const Unsubscribe& packet) {
  Unsuback unsuback{packet.packet_id, {}, {}};
  for (const std::string_view filter : packet.filters) {
    const bool existed = subscriptions_.remove(client.number, {filter, {}});
    if (existed) std::erase(client.filters, filter);
    if (client.catching_up) client.catching_up->subscriptions.remove(0, {filter, {}});
    unsuback.reasons.push_back(existed ? Reason::success : Reason::no_subscription_existed);
  }
  answer(client, std::move(unsuback));
}

void Broker::Impl::on(Client& client, const Pingreq&) {
  answer(client, Pingresp{});
}

void Broker::Impl::on(Client& client, const Disconnect& disconnect) {
  const auto expiry = disconnect.properties.number(PropertyId::session_expiry_interval);
  if (expiry.value_or(0) != 0 && client.session_ends_with_connection) {
    return fail(client, {Reason::protocol_error, "the session expiry interval was 0"});
  }
  drop(client);
}

}  // namespace doctor::mqtt
