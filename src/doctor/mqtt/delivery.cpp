#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/encode.hpp"

namespace doctor::mqtt {
namespace {

// How many changes one output looks at for a client that is behind.
constexpr std::size_t changes_an_output = 4096;

}  // namespace

bool Broker::Impl::is_waiting(const Client& client) const {
  const Session* session = client.session;
  return !client.answers.empty() || !client.resend.empty() ||
         (session != nullptr && (!session->outbox.empty() || !session->retained.empty()));
}

void Broker::Impl::write_messages(Client& client, std::size_t limit, std::string& out) {
  resend(client, limit, out);
  if (!client.resend.empty()) return;
  std::size_t changes = changes_an_output;
  while (out.size() < limit && client.session != nullptr) {
    Session& session = *client.session;
    if (!session.retained.empty() && write_retained(client, out)) continue;
    if (session.catching_up) catch_up(client, changes);
    if (client.session == nullptr) return;
    const Message* next = session.outbox.next();
    if (next == nullptr || (next->qos != QoS::at_most_once && client.quota == 0)) return;
    write(client, session.outbox.pop(), out);
  }
}

// In the order in which it was sent first, before anything else [MQTT-4.4.0-1] [MQTT-4.6.0-1].
void Broker::Impl::resend(Client& client, std::size_t limit, std::string& out) {
  Inflight& inflight = client.session->inflight;
  for (; !client.resend.empty() && out.size() < limit; client.resend.pop_front()) {
    const std::uint16_t packet_id = client.resend.front();
    const Inflight::Sent* sent = inflight.find(packet_id);
    if (sent == nullptr) continue;
    if (sent->received) {
      encode(Pubrel{packet_id, Reason::success, {}}, client.version, out);
      continue;
    }
    if (client.quota == 0) return;
    const Message& message = sent->message;
    Publication::Copy copy{client.version,     message.qos, message.retain,
                           message.commit_end, packet_id,   now_};
    copy.dup = true;
    copy.identifiers = message.identifiers.get();
    if (!message.publication->may_be_heard(client.session->principal.permissions())) {
      ++figures_.dropped_forbidden;
      inflight.remove(packet_id);
    } else if (message.publication->encoded_size(copy) > client.packet_max) {
      ++figures_.dropped_packet_size;
      inflight.remove(packet_id);
    } else {
      --client.quota;
      message.publication->encode(copy, out);
      ++figures_.messages_out;
    }
  }
}

bool Broker::Impl::write_retained(Client& client, std::string& out) {
  Session& session = *client.session;
  Session::RetainedReading& reading = session.retained.front();
  if (session.outbox.popped() < reading.after) return false;
  if (reading.qos != QoS::at_most_once && client.quota == 0) return false;
  retained_read_.clear();
  retained_.read(reading.filter, reading.position, 1, now_, retained_read_);
  if (!retained_read_.empty()) {
    const PublicationPtr& publication = retained_read_.front();
    write(
        client,
        {publication, std::min(publication->qos(), reading.qos), true, false, reading.identifiers},
        out);
  }
  if (reading.position.done) session.retained.erase(session.retained.begin());
  return true;
}

void Broker::Impl::write(Client& client, Message message, std::string& out) {
  // An alias makes a copy longer by three octets the first time, then shorter.
  constexpr std::size_t alias_size = 3;
  Publication::Copy copy{client.version, message.qos, message.retain, message.commit_end, 0, now_};
  copy.identifiers = message.identifiers.get();
  const PublicationPtr publication = message.publication;
  if (!publication->may_be_heard(client.session->principal.permissions())) {
    ++figures_.dropped_forbidden;
    return;
  }
  if (publication->expired(now_)) {
    ++figures_.dropped_expired;
    return;
  }
  const std::size_t size = publication->encoded_size(copy);
  if (size > client.packet_max) {
    ++figures_.dropped_packet_size;  // and counts as sent [MQTT-3.1.2-25]
    return;
  }
  if (message.qos != QoS::at_most_once) {
    copy.packet_id = client.session->inflight.add(std::move(message));
    --client.quota;
  }
  if (client.is_v5() && size + alias_size <= client.packet_max) {
    copy.alias = client.sent_aliases.use(publication->topic());
  }
  publication->encode(copy, out);
  ++figures_.messages_out;
}

}  // namespace doctor::mqtt
