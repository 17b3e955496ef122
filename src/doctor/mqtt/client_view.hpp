#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/base/strong.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/session.hpp"
#include "doctor/mqtt/packet.hpp"

namespace doctor::mqtt {

using ConnectionId = Strong<struct ConnectionIdTag, std::uint64_t>;

/// What an operator may know of one MQTT client, connected or away: a copy, of the moment in which
/// it was made. Of a session of Doctor it has a fingerprint, never the id.
struct ClientView {
  struct Connection {
    ConnectionId id;
    std::string user_name;  ///< as CONNECT had it, cut; empty: none
    Version version = Version::v5_0;
    Timestamp since;
    std::chrono::seconds keep_alive{};  ///< that is in force; 0: none
    bool clean_start = true;

    // What the owner of the sockets knows and fills in.
    std::string address;  ///< with the port
    bool websocket = false;
    bool tls = false;
  };

  struct Away {
    Timestamp since;
    Timestamp ends;  ///< the session, unless its client returns before
  };

  struct Subscription {
    std::string filter;  ///< as the client wrote it, `$share/...` too
    SubscriptionOptions options;
    std::optional<std::uint32_t> identifier;
  };

  struct Queue {
    std::size_t messages = 0;
    std::size_t bytes = 0;
  };

  /// Names (principal, client id), which is what a client is, for good: `connector:CLIENT`,
  /// `anyone:CLIENT`, or `session:FINGERPRINT:CLIENT` with 16 hex digits, which do not collide.
  std::string id;
  std::string client_id;
  document::Principal::Kind principal = document::Principal::Kind::anyone;
  std::string session;  ///< fingerprint (8 digits) of the session's id; empty: none

  std::optional<Connection> connection;
  std::optional<Away> away;  ///< while there is no connection
  std::chrono::seconds session_expiry{};

  std::size_t subscriptions = 0;
  std::vector<Subscription> shown;  ///< the first ones of them, bounded
  Queue outbox;                     ///< waits to be sent
  Queue inflight;                   ///< sent, and not acknowledged
  std::uint64_t behind = 0;         ///< commits that it has still to hear of, besides
};

/// A page of clients, and where the next one begins; nothing if this is the last.
struct ClientPage {
  std::vector<ClientView> clients;
  std::optional<std::uint32_t> next;
};

/// What became of a client that an operator disconnected.
struct Disconnected {
  bool was_connected = false;
  bool session_ended = false;
};

}  // namespace doctor::mqtt
