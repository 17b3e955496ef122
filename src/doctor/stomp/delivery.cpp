#include <algorithm>
#include <utility>

#include "doctor/stomp/broker_impl.hpp"
#include "doctor/stomp/writer.hpp"

// What is written next.
namespace doctor::stomp {
namespace {

using namespace std::chrono_literals;

// Frames that oVirt's Java client may get in one read, however they were written.
constexpr auto together = 50ms;

// It has a buffer of 1024 octets for what is no frame.
constexpr std::size_t lone_max = 512;

constexpr std::size_t piece_max = 64u << 10;

}  // namespace

void Broker::Impl::output(ConnectionId id, std::size_t max_bytes, std::string& out,
                          Clock::time_point now) {
  now_ = now;
  Connection* connection = find(id);
  if (connection == nullptr) return;
  const std::size_t before = out.size();
  bool has_frame = false;
  while (out.size() - before < max_bytes) {
    const Wrote wrote = write_next(*connection, out);
    has_frame |= wrote == Wrote::frame;
    if (wrote == Wrote::nothing || connection->ovirt.is) break;
  }
  if (out.size() == before && connection->beat_due) out += '\n';
  connection->beat_due = false;
  if (connection->writing || out.size() > before) connection->moved_at = now;
  connection->writing = out.size() > before;
  if (connection->writing) note_written(*connection, has_frame);
  figures_.bytes_out += out.size() - before;

  const bool has_room = connection->outbox.is_half_empty(outbox_bounds());
  if (has_room && !connection->blocking.empty()) unblock(*connection);
  if (has_room && connection->has_dropped) tell_of_dropped(*connection);
  settle();
}

// A frame, or a piece of one: of a large message no more is copied than the socket may take soon,
// since all others share it.
Broker::Impl::Wrote Broker::Impl::write_next(Connection& connection, std::string& out) {
  Outbox::Entry* entry = connection.outbox.current();
  const bool is_new = entry == nullptr;
  if (is_new) entry = next_entry(connection);
  if (entry == nullptr) return Wrote::nothing;
  if (entry->publication) {
    if (is_new) write_head(connection, *entry, out);
    const std::string_view body = entry->publication->message().body;
    const std::string_view piece = body.substr(connection.body_given, piece_max);
    out += piece;
    connection.body_given += piece.size();
    if (connection.body_given < body.size()) return Wrote::piece;
    out += '\0';
    ++figures_.messages_out;
  } else {
    out += entry->frame;
  }
  connection.outbox.written();
  return Wrote::frame;
}

Outbox::Entry* Broker::Impl::next_entry(Connection& connection) {
  while (Outbox::Entry* entry = connection.outbox.next()) {
    const bool has_ended = entry->publication && entry->subscription->connection == nullptr;
    const bool is_allowed =
        !entry->publication || entry->publication->may_be_heard_by(connection.principal);
    if (!has_ended && is_allowed) return entry;
    if (!has_ended) ++figures_.dropped_forbidden;  // else UNSUBSCRIBE came meanwhile
    connection.outbox.written();
  }
  return nullptr;
}

void Broker::Impl::write_head(Connection& connection, const Outbox::Entry& entry,
                              std::string& out) {
  connection.body_given = 0;
  Subscription& subscription = *entry.subscription;
  const Version version = connection.version;
  const std::string number = std::to_string(entry.number);
  out += name_of(Command::message);
  out += '\n';
  if (subscription.id) write_header({"subscription", *subscription.id}, version, out);
  write_header({"message-id", number}, version, out);
  if (subscription.ack != AckMode::automatic) {
    subscription.unacked.add(entry.number, entry.publication->memory());
    ++connection.unacked;
    if (version == Version::v1_2) {
      write_header({"ack", std::to_string(subscription.serial) + "-" + number}, version, out);
    }
  }
  out += entry.publication->head(version);
}

// A frame that shares a read of oVirt's Java client with another one stays unread until one more
// octet comes: each frame that follows another one closely is owed a lone LF.
void Broker::Impl::note_written(Connection& connection, bool is_frame) {
  const bool follows = now_ - connection.written_at <= together;
  connection.written_at = now_;
  Ovirt& ovirt = connection.ovirt;
  const bool is_owed = ovirt.is && is_frame && follows;
  if (!is_owed || connection.state != Connection::State::connected) return;
  if (ovirt.owed == 0) owing_.push_back(connection.id);
  ovirt.owed = std::min(ovirt.owed + 1, lone_max);
}

void Broker::Impl::taken(ConnectionId id, Clock::time_point now) {
  if (Connection* connection = find(id)) connection->moved_at = now;
}

}  // namespace doctor::stomp
