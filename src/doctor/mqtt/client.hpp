#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "doctor/document/session.hpp"
#include "doctor/mqtt/broker.hpp"
#include "doctor/mqtt/feed.hpp"
#include "doctor/mqtt/framing.hpp"
#include "doctor/mqtt/outbox.hpp"
#include "doctor/mqtt/packet.hpp"
#include "doctor/mqtt/subscriptions.hpp"

namespace doctor::mqtt {

/// One connection and what the broker knows of its client.
struct Client {
  enum class State : std::uint8_t {
    connecting,  ///< before CONNECT, until `deadline`
    refusing,    ///< a failed login whose answer waits until `deadline`; nothing more is read
    connected,
    ending,  ///< gone but for the bytes in `answers`; the owner closes it
  };

  Client(ConnectionId connection, SubscriberNumber place, std::string address,
         std::size_t packet_limit)
      : id(connection), number(place), peer(std::move(address)), splitter(packet_limit) {}

  bool is_v5() const { return version == Version::v5_0; }

  ConnectionId id;
  SubscriberNumber number;
  std::string peer;
  State state = State::connecting;
  Version version = Version::v3_1_1;
  Splitter splitter;
  Clock::time_point deadline;

  // From CONNECT.
  document::Principal principal;  ///< with the newest permissions
  document::Principal matched;    ///< as of the change that is matched for it next
  document::Revision since;       ///< hears commits after this one
  std::string key;                ///< names (principal, client id)
  std::uint16_t receive_maximum = 0;
  std::uint32_t packet_max = std::numeric_limits<std::uint32_t>::max();
  bool tells_problems = true;                ///< Request Problem Information
  bool session_ends_with_connection = true;  ///< the expiry it asked for was 0
  Clock::duration silence_max{};             ///< one and a half Keep Alive; 0: any
  Clock::time_point heard;                   ///< the last packet

  /// Its session from a revision on, which `matched` has not come to.
  struct Edit {
    document::Revision revision;
    std::shared_ptr<const document::Session> session;
  };
  std::vector<Edit> edits;

  std::vector<std::string> filters;  ///< its subscriptions, in no order

  /// For a client whose queue was full: announcements are not queued for it as they are matched for
  /// all, it reads the feed itself until it has come to where all others are.
  struct CatchUp {
    Place place;
    Subscriptions subscriptions;  ///< its own, once more
  };
  std::unique_ptr<CatchUp> catching_up;

  // On the way out.
  std::string answers;  ///< encoded packets; they go before messages
  Outbox outbox;
  document::Revision touched;  ///< the last commit that matched it
  bool named = false;          ///< by the next `attention`
  bool writing = false;        ///< `output` gave bytes and has not been called since
  Clock::time_point moved_at;  ///< when it last took something: octets, a message's delivery
};

}  // namespace doctor::mqtt
