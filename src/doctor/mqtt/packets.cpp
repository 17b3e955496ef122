#include <algorithm>

#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {

void Broker::Impl::handle(Client& client, const Frame& frame) {
  auto packet = decode(frame, client.version);
  if (!packet) return fail(client, packet.error());
  std::visit([&](auto& p) { on(client, p); }, *packet);
}

// A second CONNECT [MQTT-3.1.0-2], AUTH without a method in CONNECT [MQTT-4.12.0-7], and what only
// servers send.
template <class Unexpected>
void Broker::Impl::on(Client& client, const Unexpected&) {
  fail(client, {Reason::protocol_error, "a packet that a client may not send now"});
}

void Broker::Impl::on(Client& client, Publish& publish) {
  if (publish.properties.has(PropertyId::subscription_identifier)) {  // [MQTT-3.3.4-6]
    return fail(client, {Reason::protocol_error, "a subscription identifier from a client"});
  }
  const auto refusal = client.received_aliases.resolve(publish, limits_.mqtt_topic_aliases);
  if (refusal) return fail(client, *refusal);
  Session& session = *client.session;  // it may lose its client below, to its own full queue
  auto& received = session.received;
  if (publish.qos == QoS::exactly_once && received.contains(publish.packet_id)) {
    answer(client, Pubrec{publish.packet_id, Reason::success, {}});  // [MQTT-4.3.3-10]
    return;
  }
  if (publish.qos == QoS::exactly_once && received.size() >= limits_.mqtt_inflight) {
    return fail(client, {Reason::receive_maximum_exceeded, "more messages than Receive Maximum"});
  }
  if (cannot_keep(publish)) return refuse_to_keep(client, publish);
  const Reason reason = this->publish(client, publish);
  if (publish.qos == QoS::at_least_once) answer(client, Puback{publish.packet_id, reason, {}});
  if (publish.qos != QoS::exactly_once) return;
  // What is refused ends its exchange with the PUBREC, or with the connection; if that lasts, 3.1.1
  // cannot be told.
  const bool told = client.is_v5() || client.session == nullptr;
  if (!is_failure(reason) || !told) {
    received.insert(publish.packet_id);
    if (is_kept(session)) {
      touch(session);
      state_.ask();
    }
  }
  answer(client, Pubrec{publish.packet_id, reason, {}});
}

Reason Broker::Impl::publish(Client& client, const Publish& publish) {
  if (!client.session->principal.may_write()) {
    ++figures_.publishes_refused_session;
    return Reason::not_authorized;
  }
  if (is_reserved(publish.topic) || topic_levels(publish.topic) > limits_.mqtt_topic_levels) {
    ++figures_.publishes_refused_topic;
    return Reason::topic_name_invalid;
  }
  ++figures_.messages_in;
  const PublicationPtr publication =
      Publication::of_client(publish, now_, client.session->publisher);
  const bool kept = !publish.retain || retain(publication);
  const bool heard = route(publication, publish.qos, client.session->number);
  if (!kept) return Reason::quota_exceeded;
  return heard ? Reason::success : Reason::no_matching_subscribers;
}

// Whether it may have to survive, while the disk takes nothing and too much waits for it.
bool Broker::Impl::cannot_keep(const Publish& publish) const {
  const bool lasts = publish.qos != QoS::at_most_once || publish.retain;
  return lasts && state_.bytes() > limits_.mqtt_state_waiting;
}

void Broker::Impl::refuse_to_keep(Client& client, const Publish& publish) {
  ++figures_.publishes_refused_state;
  warnings_.warn(Warning::state,
                 "MQTT: what must survive a restart cannot be written and fills the memory that it "
                 "may (mqtt_state_waiting): messages of QoS 1 and 2 and retained ones are refused",
                 now_);
  if (publish.qos == QoS::at_most_once) return;
  constexpr Reason reason = Reason::quota_exceeded;
  if (!client.is_v5()) return end(client, reason, {}, &Figures::closed_state);  // it has no word
  if (publish.qos == QoS::at_least_once)
    return answer(client, Puback{publish.packet_id, reason, {}});
  answer(client, Pubrec{publish.packet_id, reason, {}});
}

bool Broker::Impl::retain(const PublicationPtr& publication) {
  if (retained_.keep(publication, {limits_.mqtt_retained_messages, limits_.mqtt_retained_bytes})) {
    return true;
  }
  ++figures_.dropped_retained;
  warnings_.warn(Warning::retained,
                 "MQTT: a message was not retained: there are too many "
                 "(mqtt_retained_messages, mqtt_retained_bytes)",
                 now_);
  return false;
}

// A PUBCOMP for a PUBREL of an earlier connection gives no quota: else more than Receive Maximum
// would be unacknowledged [MQTT-3.3.4-9].
void Broker::Impl::complete(Client& client, const Inflight::Sent& sent) {
  if (sent.takes_quota) ++client.quota;
  forget_message(*client.session, sent.message);
  client.session->inflight.remove(sent.packet_id);
  client.moved_at = now_;
  if (is_waiting(client) || client.session->catching_up) mark(client);
}

void Broker::Impl::on(Client& client, const Puback& puback) {
  const Inflight::Sent* sent = client.session->inflight.find(puback.packet_id);
  if (sent == nullptr) return;
  if (sent->message.qos != QoS::at_least_once) {
    return fail(client, {Reason::protocol_error, "PUBACK for a message of QoS 2"});
  }
  complete(client, *sent);
}

void Broker::Impl::on(Client& client, const Pubrec& pubrec) {
  Inflight& inflight = client.session->inflight;
  const Inflight::Sent* sent = inflight.find(pubrec.packet_id);
  if (sent != nullptr && sent->message.qos != QoS::exactly_once) {
    return fail(client, {Reason::protocol_error, "PUBREC for a message of QoS 1"});
  }
  if (is_failure(pubrec.reason)) {  // [MQTT-4.3.3-9]: the exchange has ended
    if (sent == nullptr) return;
    return complete(client, *sent);
  }
  if (sent != nullptr && !sent->received) {
    keep_received(*client.session, *sent);
    inflight.receive(pubrec.packet_id);
  }
  const Reason reason = sent == nullptr ? Reason::packet_identifier_not_found : Reason::success;
  answer(client, Pubrel{pubrec.packet_id, reason, {}});
}

void Broker::Impl::on(Client& client, const Pubrel& pubrel) {
  const bool known = client.session->received.erase(pubrel.packet_id) > 0;
  if (known && is_kept(*client.session)) {
    touch(*client.session);
    state_.ask();
  }
  const Reason reason = known ? Reason::success : Reason::packet_identifier_not_found;
  answer(client, Pubcomp{pubrel.packet_id, reason, {}});
}

void Broker::Impl::on(Client& client, const Pubcomp& pubcomp) {
  const Inflight::Sent* sent = client.session->inflight.find(pubcomp.packet_id);
  if (sent == nullptr || !sent->received) return;
  complete(client, *sent);
}

// `$share/NAME/FILTER` (§4.8.2). A group belongs to a principal, like client ids.
std::optional<Session::Own> Broker::Impl::own_filter(const Session& session,
                                                     std::string_view filter) const {
  if (!is_shared(filter)) return Session::Own{std::string(filter), std::nullopt, 0};
  filter.remove_prefix(std::min(filter.size(), std::string_view("$share/").size()));
  const auto slash = filter.find('/');
  if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
  const std::string_view name = filter.substr(0, slash);
  if (has_wildcard(name) || !is_topic_filter(filter.substr(slash + 1))) return std::nullopt;
  const std::string principal = session.key.substr(0, session.key.find('\0') + 1);
  return Session::Own{"$share/" + std::string(filter), principal + std::string(name), 0};
}

std::vector<Session::Own>::iterator Broker::Impl::find_own(Session& session,
                                                           std::string_view filter) const {
  return std::find_if(session.filters.begin(), session.filters.end(),
                      [&](const Session::Own& own) { return own.filter == filter; });
}

Reason Broker::Impl::subscribe(Client& client, const Subscribe::Request& request,
                               const IdentifiersPtr& identifiers) {
  Session& session = *client.session;
  const auto own = own_filter(session, request.filter);
  if (!own || topic_levels(request.filter) > limits_.mqtt_topic_levels) {
    ++figures_.subscriptions_refused_filter;
    return Reason::topic_filter_invalid;
  }
  const bool is_new = subscriptions_.find(session.number, own->key()) == nullptr;
  if (is_new) {
    if (session.filters.size() >= limits_.mqtt_subscriptions) {
      ++figures_.subscriptions_refused_too_many;
      warnings_.warn(Warning::subscriptions,
                     "MQTT: refused a subscription of " + client.peer +
                         ": it has too many (mqtt_subscriptions)",
                     now_);
      return Reason::quota_exceeded;
    }
    session.filters.push_back(*own);
  }
  subscriptions_.add({session.number, request.options, identifiers}, own->key());
  if (session.catching_up && !own->group) {
    session.catching_up->subscriptions.add({0, request.options, identifiers}, own->key());
  }
  Session::Own& kept = *find_own(session, own->filter);
  keep_subscription(session, kept);
  // [MQTT-3.3.1-9 -10 -11]; none for shared subscriptions (§4.8.2).
  if (!own->group && (request.retain_handling == 0 || (request.retain_handling == 1 && is_new))) {
    std::erase_if(session.retained, [&](const auto& r) { return r.filter == own->filter; });
    session.retained.push_back({own->filter, kept.record, request.options.qos,
                                request.options.no_local, identifiers, retained_.begin(),
                                session.outbox.pushed()});
    mark(client);
  }
  return static_cast<Reason>(request.options.qos);
}

void Broker::Impl::on(Client& client, const Subscribe& packet) {
  Suback suback{packet.packet_id, {}, {}};
  const auto number = packet.properties.number(PropertyId::subscription_identifier);
  const IdentifiersPtr identifiers = number ? Identifiers::of(*number) : nullptr;
  for (const Subscribe::Request& request : packet.requests) {
    suback.reasons.push_back(subscribe(client, request, identifiers));
  }
  // From when on every visible change is heard. It may not be told to a client that wants no user
  // properties [MQTT-3.1.2-29].
  const document::Revision begun(place_.revision.value - (place_.index == 0 ? 1 : 0));
  const std::string revision = std::to_string(std::max(begun, client.session->since).value);
  if (client.tells_problems) suback.properties.add_user("revision", revision);
  answer(client, std::move(suback));
}

bool Broker::Impl::unsubscribe(Session& session, std::string_view filter) {
  const auto own = find_own(session, filter);
  if (own == session.filters.end()) return false;
  forget_subscription(session, *own);
  subscriptions_.remove(session.number, own->key());
  if (session.catching_up) session.catching_up->subscriptions.remove(0, own->key());
  std::erase_if(session.retained, [&](const auto& r) { return r.filter == filter; });
  session.filters.erase(own);
  return true;
}

void Broker::Impl::on(Client& client, const Unsubscribe& packet) {
  Unsuback unsuback{packet.packet_id, {}, {}};
  for (const std::string_view filter : packet.filters) {
    const bool existed = unsubscribe(*client.session, filter);
    unsuback.reasons.push_back(existed ? Reason::success : Reason::no_subscription_existed);
  }
  answer(client, std::move(unsuback));
}

void Broker::Impl::on(Client& client, const Pingreq&) {
  const std::size_t begin = client.answers.size();
  answer(client, Pingresp{});
  // It waits for nothing but CONNACK: however long the disk takes, the client sees that we live.
  if (!is_welcome(client) || client.holds.empty()) return;
  std::string& all = client.answers;
  const std::size_t size = all.size() - begin;
  const auto place = [&all](std::size_t at) {
    return all.begin() + static_cast<std::ptrdiff_t>(at);
  };
  std::rotate(place(client.holds.front().begin), place(begin), all.end());
  for (Client::Hold& hold : client.holds) hold.begin += size;
}

void Broker::Impl::on(Client& client, const Disconnect& disconnect) {
  const auto expiry = disconnect.properties.number(PropertyId::session_expiry_interval);
  if (expiry.value_or(0) != 0 && client.expiry_was_zero) {
    return fail(client, {Reason::protocol_error, "the session expiry interval was 0"});
  }
  if (expiry) client.session->expiry = expiry_of(*expiry);
  if (disconnect.reason == Reason::success && client.session->will) {  // [MQTT-3.14.4-3]
    client.session->will.reset();
    touch(*client.session);
  }
  drop(client);
}

}  // namespace doctor::mqtt
