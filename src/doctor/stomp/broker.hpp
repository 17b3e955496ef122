#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/strong.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/commit.hpp"
#include "doctor/document/session.hpp"
#include "doctor/stomp/application.hpp"

namespace doctor::stomp {

/// How a connection is to end, once all that `output` gives has been written (bounded).
enum class End : std::uint8_t {
  none,    ///< it goes on
  linger,  ///< half-close, read and discard for at most `linger_time`, close: what the peer has
           ///< sent meanwhile must not reset the last frame away
  reset,   ///< the same without half-closing, but close with RST: the peer does not notice an
           ///< orderly end
};
inline constexpr std::chrono::milliseconds linger_time{500};

/// What the owner of the sockets must do, in this order of calls: fetch `output`, then obey.
struct Attention {
  ConnectionId connection;
  End end = End::none;
  bool pause = false;  ///< read nothing from it until it is named again without this
};

/// Counters since the start, by cause; names as /metrics shows them.
struct Figures {
  std::uint64_t connections = 0;     ///< now
  std::uint64_t subscriptions = 0;   ///< now
  std::uint64_t queued_bytes = 0;    ///< now, each connection's counted by itself
  std::uint64_t outboxes_bytes = 0;  ///< now, messages that wait for several counted once
  std::uint64_t blocked = 0;         ///< connections that are not read from, now
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t frames_in = 0;
  std::uint64_t messages_in = 0;   ///< SENDs that took effect
  std::uint64_t messages_out = 0;  ///< MESSAGEs written
  std::uint64_t unheard = 0;       ///< SENDs that had no subscriber
  std::uint64_t nacked = 0;  ///< refused by NACK, or not settled when their subscription ended
  std::uint64_t dropped_overflow = 0;
  std::uint64_t dropped_outboxes = 0;   ///< what waits for all connections together was too much
  std::uint64_t dropped_forbidden = 0;  ///< no longer permitted when it was to be written
  std::uint64_t dropped_answers = 0;    ///< that had no subscriber
  std::uint64_t refused_credentials = 0;
  std::uint64_t refused_version = 0;
  std::uint64_t closed_malformed = 0;
  std::uint64_t closed_protocol = 0;
  std::uint64_t closed_limit = 0;
  std::uint64_t closed_forbidden = 0;
  std::uint64_t closed_connect_timeout = 0;
  std::uint64_t closed_heart_beat = 0;
  std::uint64_t closed_slow = 0;      ///< its outbox overflowed, or it took nothing for too long
  std::uint64_t closed_outboxes = 0;  ///< its share of all outboxes was passed
  std::uint64_t closed_session_ended = 0;
};

struct Options {
  std::string server = "Doctor";     ///< the header `server` of CONNECTED
  std::string instance;              ///< what makes `session` differ from that of another process
  bool strict_destinations = false;  ///< a SEND that nobody hears is an error
  bool ovirt = false;                ///< treat every client as oVirt's Java client must be
};

/// A STOMP 1.0, 1.1 and 1.2 broker as a value: octets and time in, octets and endings out. No
/// sockets, no threads, no clock; one thread at a time. Destinations are topics: a message reaches
/// whoever is subscribed when it is sent, and nothing is delivered again.
///
/// Messages wait as shared values, not octets; whether a client may hear one is judged when it is
/// queued and again, with the newest permissions, when it leaves the queue. So a client that does
/// not read costs its bounded queue and nothing else. What happens when the queue is full is the
/// subscription's choice (Overflow).
class Broker {
 public:
  /// @param application  outlives the broker; called inside any call, must not call back into it
  /// @param log  a warning for a person, at most a line; never a secret; each kind of warning at
  ///             most once a minute
  Broker(const Limits& limits, Options options, Application& application,
         std::function<void(std::string_view)> log);
  ~Broker();

  /// A socket was accepted, and its TLS established. The socket must not delay small writes.
  /// @param peer  its address, for log and throttle
  /// @param certificate  the name in the client's certificate, if it sent one
  ConnectionId accept(std::string peer, std::optional<std::string> certificate,
                      Clock::time_point now, Timestamp wall);
  /// Octets came, cut anywhere. Of a connection that is paused they are kept.
  void receive(ConnectionId connection, std::string_view bytes, Clock::time_point now,
               Timestamp wall);
  /// The socket has ended, whoever ended it.
  void closed(ConnectionId connection, Clock::time_point now);

  /// Whether anybody is subscribed who hears what is sent to the destination.
  bool is_heard(std::string_view destination) const;
  /// Whether the connection hears what is sent to it: it has neither gone nor been ended.
  bool is_open(ConnectionId connection) const;
  /// What waits to be written to a connection; 0 if it has gone.
  std::size_t queued_bytes(ConnectionId connection) const;
  /// A message that no client sent. @return how many subscriptions it was queued for
  std::size_t publish(Message message, const Routing& routing, Clock::time_point now);
  /// An answer to what a connection had sent, which may be gone. @return as `publish`
  std::size_t answer(const Answer& answer, Clock::time_point now);
  /// What a commit did to sessions takes effect at once; one that was removed ends its connections.
  void sessions_changed(std::span<const document::SessionChange> changes, Clock::time_point now);

  /// Time passed: heart-beats, time limits, delayed refusals. Ten times a second, and at `wake`.
  void tick(Clock::time_point now, Timestamp wall);
  /// When `tick` should come, if that is sooner than a tenth of a second from now.
  std::optional<Clock::time_point> wake() const;

  /// Connections with something to write, to end, to pause or to go on reading from, each once
  /// since the last call.
  std::vector<Attention> attention();
  /// Moves what the connection should write next into `out`, appending at most about `max_bytes`,
  /// or one frame, or a piece of a large one; the rest stays queued until the next call. What one
  /// call gives is one write: some clients do not understand what comes together. A call says that
  /// all that was given before has been written: make it when `attention` names the connection and
  /// no write is under way, and after each write that has completed, until it gives nothing.
  void output(ConnectionId connection, std::size_t max_bytes, std::string& out,
              Clock::time_point now);
  /// The socket has taken a part of what `output` gave: its client reads, however slowly.
  void taken(ConnectionId connection, Clock::time_point now);

  /// Shutting down: ERROR to all, and everyone is to be closed.
  void shut_down();

  Figures figures() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace doctor::stomp
