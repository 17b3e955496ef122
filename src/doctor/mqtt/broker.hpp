#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/commit.hpp"
#include "doctor/document/session.hpp"
#include "doctor/mqtt/client_view.hpp"

namespace doctor::mqtt {

/// What CONNECT brought, as the broker's owner needs it to decide who this is.
struct Credentials {
  std::optional<std::string> user_name;
  std::optional<std::string> password;
};

/// Who a client is, and the revision of the snapshot in which that was read: the client hears what
/// came after it, since its permissions before it are not known.
struct LoggedIn {
  document::Principal principal;
  document::Revision revision;
};

/// Who the credentials make of a client, or nothing: refused (page 3's table).
using Login = std::function<std::optional<LoggedIn>(const Credentials&)>;

/// Notes and logs a failed login from an address, and says how long its answer must wait
/// (LoginThrottle::failed, which all transports share).
using FailedLogin =
    std::function<std::chrono::milliseconds(std::string_view peer, Clock::time_point)>;

/// Whether octets of a connection have come that the broker has not been given: asked before it is
/// ended because nothing came. If the server was stopped or busy, they show that it is not silent.
using HasUnread = std::function<bool(ConnectionId)>;

/// What the owner of the sockets must do, in this order of calls: fetch `output`, then obey.
struct Attention {
  ConnectionId connection;
  bool close = false;  ///< after what `output` gives has been written (bounded), close the socket
};

/// A record of the state that outlives the process: small keys in order, values of any length.
struct StateRecord {
  std::string key;                   ///< at most 32 octets
  std::optional<std::string> value;  ///< none: there is no such record any more
};

/// What changed of the state, to be made durable as a whole or not at all.
struct StateBatch {
  std::uint64_t number = 0;  ///< counts up from 1
  std::vector<StateRecord> records;
};

/// Counters since the start, by cause; names as /metrics shows them.
struct Figures {
  std::uint64_t connections = 0;     ///< now
  std::uint64_t subscriptions = 0;   ///< now
  std::uint64_t queued_bytes = 0;    ///< now
  std::uint64_t sessions_away = 0;   ///< that wait for their clients, now
  std::uint64_t retained = 0;        ///< retained messages, now
  std::uint64_t retained_bytes = 0;  ///< now
  std::uint64_t catching_up = 0;     ///< connections behind the newest announcements, now
  std::uint64_t backlog_bytes = 0;   ///< commits held in memory, now
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t packets_in = 0;
  std::uint64_t messages_in = 0;             ///< PUBLISH from clients, accepted
  std::uint64_t messages_out = 0;            ///< PUBLISH to clients
  std::uint64_t announcements = 0;           ///< changes announced, whoever heard
  std::uint64_t dropped_queue_full = 0;      ///< what clients published, QoS 0, beyond the bound
  std::uint64_t dropped_no_member = 0;       ///< no member of a shared subscription took it
  std::uint64_t dropped_retained = 0;        ///< not kept: over the bounds of retained messages
  std::uint64_t dropped_forbidden = 0;       ///< no longer permitted when it left the queue
  std::uint64_t dropped_packet_size = 0;     ///< larger than the client's Maximum Packet Size
  std::uint64_t dropped_expired = 0;         ///< its Message Expiry Interval ended in the queue
  std::uint64_t refused_credentials = 0;     ///< CONNECTs, and so the next four
  std::uint64_t refused_authentication = 0;  ///< asked for an enhanced one
  std::uint64_t refused_version = 0;
  std::uint64_t refused_client_id = 0;
  std::uint64_t refused_will = 0;
  std::uint64_t publishes_refused_session = 0;       ///< of sessions, which may not
  std::uint64_t publishes_refused_state = 0;         ///< the disk does not take what must survive
  std::uint64_t publishes_refused_topic = 0;         ///< to a `$` topic, or below too many levels
  std::uint64_t subscriptions_refused_filter = 0;    ///< a malformed share, or too many levels
  std::uint64_t subscriptions_refused_too_many = 0;  ///< of one client
  std::uint64_t closed_malformed = 0;
  std::uint64_t closed_protocol = 0;
  std::uint64_t closed_state = 0;        ///< the same, for a 3.1.1 client
  std::uint64_t closed_packet_size = 0;  ///< it sent too large a one, or takes none as large as due
  std::uint64_t closed_receive_maximum = 0;  ///< it sent more than ours
  std::uint64_t closed_connect_timeout = 0;  ///< no CONNECT came in time
  std::uint64_t closed_keep_alive = 0;
  std::uint64_t closed_slow = 0;    ///< read nothing for too long, or its QoS 1 queue is full
  std::uint64_t closed_behind = 0;  ///< what it was to hear next has left the commit log
  std::uint64_t closed_taken_over = 0;
  std::uint64_t closed_session_ended = 0;     ///< the Doctor session was deleted or expired
  std::uint64_t closed_operator = 0;          ///< by `disconnect`
  std::uint64_t sessions_ended_too_many = 0;  ///< with their connection: too many were away
  std::uint64_t sessions_ended_behind = 0;    ///< their place has left the commit log
  std::uint64_t sessions_ended_expired = 0;   ///< their clients did not return in time
  std::uint64_t sessions_ended_restart = 0;   ///< their principals were gone or had changed
};

/// An MQTT 3.1.1 and 5.0 broker as a value: bytes, commits and time in, bytes and closings out. No
/// sockets, no threads, no clock; one thread at a time. What must survive the process leaves it as
/// records, and comes back at the next start (docs/formats/mqtt.md).
///
/// A client's outgoing messages wait as shared values, not bytes: visibility is judged with the
/// newest permissions when a message leaves the queue, which is when the socket has taken what was
/// there before. So a client that does not read costs its bounded queue and nothing else.
///
/// No announcement is dropped: when a client's queue is full, it keeps its place in the feed of
/// commits and catches up from there at the pace at which it reads (docs/decisions/push.md).
class Broker {
 public:
  /// @param login  called inside `receive`; must not call back into the broker
  /// @param failed_login  called inside `receive`, as `login` is
  /// @param has_unread  called inside `tick`, as `login` is
  /// @param read_log  called inside any call, as `login` is
  /// @param log    a warning for a person, at most a line; never a secret; each kind of warning at
  ///               most once a minute
  Broker(const Limits& limits, Login login, FailedLogin failed_login, HasUnread has_unread,
         document::ReadLog read_log, std::function<void(std::string_view)> log);
  ~Broker();

  /// A socket was accepted. @param peer  its address, for log and throttle
  ConnectionId accept(std::string peer, Clock::time_point now, Timestamp wall);
  /// Bytes came, cut anywhere.
  void receive(ConnectionId connection, std::string_view bytes, Clock::time_point now,
               Timestamp wall);
  /// The socket has ended, whoever ended it.
  void closed(ConnectionId connection, Clock::time_point now);

  /// Commits became durable, in their order and without a gap; what they did to sessions takes
  /// effect at once. Their changes are matched with the subscriptions a bounded part at a time: the
  /// first part here, the rest by `advance`, so that a commit of a million changes does not hold up
  /// the thread.
  void announce(std::span<const document::CommitPtr> commits, Clock::time_point now);
  /// Goes on with a bounded part of what is to be matched.
  void advance(Clock::time_point now);
  /// Whether there is more for `advance` to do, whatever the sockets take: then call it once they
  /// have had their turn (`attention`, `output`).
  bool unfinished() const;
  /// The revision from which on every change is heard; set at the start, then moved by `announce`.
  void set_revision(document::Revision revision);

  /// From now on the broker's figures are published under `$SYS/broker/`, retained, at once and
  /// every ten seconds those that have changed.
  void publish_figures(std::string version, Clock::time_point now);

  /// Time passed: keep-alives, delayed refusals, expired sessions, stalled clients. Some times a
  /// second.
  void tick(Clock::time_point now, Timestamp wall);

  /// Connections with something to write or to close, each once since the last call.
  std::vector<Attention> attention();
  /// Moves what the connection should write next into `out` (appending at most about `max_bytes`);
  /// the rest stays queued until the next call. A call says that all that was given before has been
  /// written: make it when `attention` names the connection and no write is under way, and after
  /// each write that has completed, until it gives nothing.
  void output(ConnectionId connection, std::size_t max_bytes, std::string& out,
              Clock::time_point now);
  /// The socket has taken a part of what `output` gave: its client reads, however slowly.
  void taken(ConnectionId connection, Clock::time_point now);

  /// Takes up the state that another process left: all of its records. Before any `accept`, and
  /// after `set_revision`. Errc::invalid, saying what is wrong: then nothing has been restored.
  Result<void> restore(std::span<const StateRecord> records, Clock::time_point now, Timestamp wall);
  /// What changed of the state since it was last taken, or nothing worth a flush yet. Ask after
  /// each other call, but not while a batch is under way: the next one grows meanwhile. Until it
  /// is durable the broker says nothing that a crash would make untrue: an acknowledgement, a
  /// message at QoS 1 or 2 to a session that outlives its connection.
  std::optional<StateBatch> take_state();
  /// The batch that was taken last is durable: what waited for it is among the next `attention`.
  void persisted(std::uint64_t batch, Clock::time_point now);

  /// Shutting down: DISCONNECT 0x8B to 5.0 clients, and everyone is to be closed.
  void shut_down();

  Figures figures() const;

  /// Clients, connected and away, `limit` at most, in an order that does not change: one that is
  /// there all the time is on exactly one page. @param from  0, or `next` of the page before
  ClientPage clients(std::uint32_t from, std::size_t limit) const;
  /// @param id  as ClientView::id; nothing if there is no such client
  std::optional<ClientView> client(std::string_view id) const;
  /// Ends the connection of a client, if it has one: DISCONNECT 0x98, its will as after any end but
  /// the client's own. Its session stays as it would without the connection, unless it is to end
  /// too. Nothing if there is no such client.
  std::optional<Disconnected> disconnect(std::string_view id, bool end_session,
                                         Clock::time_point now);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace doctor::mqtt
