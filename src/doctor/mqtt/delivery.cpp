#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/encode.hpp"

namespace doctor::mqtt {
namespace {

// How many changes one output looks at for a client that is behind.
constexpr std::size_t changes_an_output = 4096;

}  // namespace

bool Broker::Impl::is_waiting(const Client& client) const {
  const Session* session = client.session;
  return !client.answers.empty() || !client.sending.empty() ||
         (session != nullptr && (!session->outbox.empty() || !session->retained.empty()));
}

bool Broker::Impl::may_send(const Client& client, QoS qos) const {
  // What is sent at QoS 0 does not overtake what waits for the state.
  if (qos == QoS::at_most_once) return client.sending.empty();
  // What was released and is not completed takes no quota of a later connection, but a place.
  const bool has_place = client.session->inflight.size() < limits_.mqtt_inflight;
  return has_place && client.quota > client.sending.size();
}

void Broker::Impl::write_messages(Client& client, std::size_t limit, std::string& out) {
  write_sending(client, limit, out);
  if (!client.sending.empty() && client.sending.front().dup) return;
  std::size_t changes = changes_an_output;
  while (out.size() < limit && client.session != nullptr) {
    Session& session = *client.session;
    if (!session.retained.empty() && write_retained(client, out)) continue;
    if (session.catching_up) catch_up(client, changes);
    if (client.session == nullptr) return;
    const Message* next = session.outbox.next();
    if (next == nullptr || !may_send(client, next->qos)) return;
    write(client, session.outbox.pop(), out);
  }
}

// What was sent before comes first, in the order in which it was [MQTT-4.4.0-1] [MQTT-4.6.0-1].
void Broker::Impl::write_sending(Client& client, std::size_t limit, std::string& out) {
  Session& session = *client.session;
  for (; !client.sending.empty() && out.size() < limit; client.sending.pop_front()) {
    const Client::Sending next = client.sending.front();
    if (!state_.is_durable(next.batch)) return wait(client);
    const Inflight::Sent* sent = session.inflight.find(next.packet_id);
    if (sent == nullptr) continue;
    if (sent->received) {
      encode(Pubrel{next.packet_id, Reason::success, {}}, client.version, out);
      continue;
    }
    if (client.quota == 0) return;
    Counter obstacle = this->obstacle(client, sent->message);
    const bool begun = next.dup;  // then it is completed, expired or not
    if (!begun && sent->message.publication->expired(now_)) obstacle = &Figures::dropped_expired;
    if (obstacle != nullptr) {
      ++(figures_.*obstacle);
      forget_message(session, sent->message);
      session.inflight.remove(next.packet_id);
      continue;
    }
    --client.quota;
    session.inflight.take_quota(next.packet_id);
    write_copy(client, sent->message, next.packet_id, next.dup, out);
  }
}

bool Broker::Impl::write_retained(Client& client, std::string& out) {
  Session& session = *client.session;
  Session::RetainedReading& reading = session.retained.front();
  if (session.outbox.popped() < reading.after) return false;
  if (!may_send(client, reading.qos)) return false;
  retained_read_.clear();
  retained_.read(reading.filter, reading.position, 1, now_, retained_read_);
  if (!retained_read_.empty()) {
    const PublicationPtr& publication = retained_read_.front();
    const bool is_own = publication->publisher() == session.publisher;
    const QoS qos = std::min(publication->qos(), reading.qos);
    if (!is_own || !reading.no_local) {
      write(client, {publication, qos, true, false, reading.identifiers}, out);
    }
  }
  if (reading.position.done) {
    session.retained.erase(session.retained.begin());
    touch(session);
  }
  return true;
}

Broker::Impl::Counter Broker::Impl::obstacle(const Client& client, const Message& message) const {
  const Publication& publication = *message.publication;
  if (!publication.may_be_heard(client.session->principal.permissions())) {
    return &Figures::dropped_forbidden;
  }
  Publication::Copy copy{client.version, message.qos, message.retain, message.commit_end, 0, now_};
  copy.identifiers = message.identifiers.get();
  // It counts as sent [MQTT-3.1.2-25].
  if (client.limits_packets() && publication.encoded_size(copy) > client.packet_max) {
    return &Figures::dropped_packet_size;
  }
  return nullptr;
}

void Broker::Impl::write(Client& client, Message message, std::string& out) {
  Session& session = *client.session;
  Counter obstacle = this->obstacle(client, message);
  if (message.publication->expired(now_)) obstacle = &Figures::dropped_expired;
  if (obstacle != nullptr) {
    ++(figures_.*obstacle);
    return forget_message(session, message);
  }
  if (message.qos == QoS::at_most_once) return write_copy(client, message, 0, false, out);
  if (is_kept(session) && message.record == 0) keep_waiting(session, message);
  const Inflight::Sent& sent = session.inflight.add(std::move(message));
  if (is_kept(session)) {
    keep_sent(session, sent);
    client.sending.push_back({sent.packet_id, state_.next_batch(), false});
    return wait(client);
  }
  --client.quota;
  session.inflight.take_quota(sent.packet_id);
  write_copy(client, sent.message, sent.packet_id, false, out);
}

void Broker::Impl::write_copy(Client& client, const Message& message, std::uint16_t packet_id,
                              bool dup, std::string& out) {
  // An alias makes a copy longer by three octets the first time, then shorter.
  constexpr std::size_t alias_size = 3;
  Publication::Copy copy{client.version,     message.qos, message.retain,
                         message.commit_end, packet_id,   now_};
  copy.dup = dup;
  copy.identifiers = message.identifiers.get();
  if (!client.limits_packets() ||
      message.publication->encoded_size(copy) + alias_size <= client.packet_max) {
    copy.alias = client.sent_aliases.use(message.publication->topic());
  }
  message.publication->encode(copy, out);
  ++figures_.messages_out;
}

}  // namespace doctor::mqtt
