#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace doctor::client {

/// What is at the other end.
enum class Peer : std::uint8_t {
  doctor,
  vdsm,  ///< oVirt's host agent, or whatever speaks as it does: STOMP 1.2 in a narrow sense
};

/// The files hold PEM.
struct TlsOptions {
  std::string ca;           ///< who signs servers' certificates; empty: those the system trusts
  std::string certificate;  ///< ours, then those between it and its root; empty: none is shown
  std::string key;          ///< its key; empty: in the same file
  bool check_name = true;   ///< whether the server's certificate must be for its name
  std::string name;         ///< that name; empty: Options::host
};

/// Where a client connects to, and how it keeps the connection.
struct Options {
  std::string host = "localhost";
  std::uint16_t port = 61'613;
  Peer peer = Peer::doctor;
  std::optional<TlsOptions> tls;

  std::string login;     ///< empty: none is sent
  std::string passcode;  ///< never written to any log

  /// What stands before the first bar of events that name no receiver; empty: `host`.
  std::string receiver;
  std::string request_destination = "jms.topic.vdsm_requests";
  std::string event_destination = "jms.queue.events";
  /// Subscription ids that all those of this client are within: then Doctor sends no other event.
  /// Empty: all are sent. Only for Peer::doctor; an id has no comma.
  std::vector<std::string> event_filter;

  std::chrono::milliseconds connect_timeout{20'000};  ///< until CONNECTED, TLS and all
  std::chrono::milliseconds heart_beat{15'000};       ///< both ways; 0: none
  std::chrono::milliseconds back_off_first{500};      ///< doubled after each failure, +-20 %
  std::chrono::milliseconds back_off_max{30'000};
  /// How often in a row a connection is tried in vain before all ends; none: without end.
  std::optional<std::uint32_t> attempts;

  std::size_t frame_max = 16u << 20;   ///< octets of a body that is received
  std::size_t calls_max = 10'000;      ///< that wait for their answer
  std::size_t unsent_max = 16u << 20;  ///< octets that wait to be written

  /// Called on a thread of the library with what an operator should know; it must not block.
  std::function<void(std::string_view)> on_warning;
};

/// What happens when events come faster than they are asked for.
enum class Overflow : std::uint8_t {
  drop_oldest,
  /// As long as all subscribers of the client are full the socket is not read, so that the sender
  /// is held back; a full one drops its oldest events while others still have room.
  pause,
};

struct SubscriptionOptions {
  std::size_t max_events = 10'000;     ///< that wait; at least 1
  std::size_t max_octets = 16u << 20;  ///< Event::size of all that wait
  Overflow overflow = Overflow::drop_oldest;
  std::chrono::milliseconds max_age = std::chrono::hours(3);  ///< no older event is delivered
  bool complete_on_cancel = true;  ///< on_complete after a cancel; Reactive Streams has silence
};

struct CallOptions {
  std::chrono::milliseconds timeout{180'000};  ///< for each attempt
  std::uint32_t retries = 0;  ///< how often it is sent again, with the same id, after a time-out
  /// It does no harm to execute it twice: after a loss of the connection it is sent once more.
  bool idempotent = false;
  std::string flow_id;  ///< the header ovirtCorrelationId; empty: none
};

}  // namespace doctor::client
