#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "doctor/document/feed.hpp"
#include "doctor/document/session.hpp"
#include "doctor/mqtt/inflight.hpp"
#include "doctor/mqtt/outbox.hpp"
#include "doctor/mqtt/retained.hpp"
#include "doctor/mqtt/subscriptions.hpp"

namespace doctor::mqtt {

struct Client;

/// An MQTT session (§4.1): what the broker knows of a client whether it is connected or not. It
/// belongs to a principal and a client id.
struct Session {
  /// A subscription's filter as the client wrote it.
  struct Own {
    std::string filter;
    std::optional<std::string> group;  ///< names it if it is shared
    std::uint64_t record = 0;          ///< its number in the state that outlives the process

    /// As the index of all subscriptions knows it.
    Subscriptions::Filter key() const;
  };

  /// A session of Doctor from a revision on, which `matched` has not come to.
  struct Edit {
    document::Revision revision;
    std::shared_ptr<const document::Session> session;
  };

  /// Announcements are not queued for it as they are matched for all: it reads the feed itself from
  /// its own place until it has come to where all others are. So it is for a client whose queue was
  /// full, and while there is no client.
  struct CatchUp {
    document::FeedPlace place;
    Subscriptions subscriptions;  ///< its own, once more; shared ones are for those who are there
    document::Revision away;  ///< what was matched up to here came while no client was connected
  };

  /// The will of the client that is connected, or that has gone and whose will waits (§3.1.2.5).
  struct Will {
    PublicationPtr publication;
    Clock::duration delay{};
  };

  /// Retained messages that a new subscription is still to hear.
  struct RetainedReading {
    std::string filter;
    std::uint64_t subscription = 0;  ///< its number in the state that outlives the process
    QoS qos = QoS::at_most_once;
    bool no_local = false;  ///< but for what this client itself has published [MQTT-3.8.3-3]
    IdentifiersPtr identifiers;
    Retained::Position position;
    std::uint64_t after =
        0;  ///< of the outbox: what was queued before the subscription is sent first
  };

  SubscriberNumber number = 0;
  std::uint64_t record = 0;     ///< number in the state that outlives the process; 0: not in it
  bool record_changed = false;  ///< since it was last taken
  std::vector<document::Revision> permission_records;  ///< in order; the first has been matched
  std::string key;                                     ///< names (principal, client id)
  std::uint64_t publisher = 0;    ///< a hash of it, by which what it publishes is known as its own
  document::Principal principal;  ///< with the newest permissions
  document::Principal matched;    ///< as of the change that is matched for it next
  std::vector<Edit> edits;
  document::Revision since;  ///< hears commits after this one
  document::Revision known;  ///< `principal` is as of this revision or newer

  Client* client = nullptr;   ///< null: nobody is connected
  Clock::duration expiry{};   ///< how long it lasts without a client (§3.1.2.11.2)
  Clock::time_point ends_at;  ///< while there is none
  Clock::time_point check_at = Clock::time_point::max();  ///< when it is looked at next
  std::optional<Will> will;
  Clock::time_point will_at;  ///< when it is published, while there is no client

  std::vector<Own> filters;  ///< its subscriptions, in no order
  std::unique_ptr<CatchUp> catching_up;

  Outbox outbox;
  Inflight inflight;
  std::unordered_set<std::uint16_t> received;  ///< QoS 2: of the client, not yet released
  std::vector<RetainedReading> retained;       ///< the first one is being read
  document::Revision touched;                  ///< the last commit that matched it
};

}  // namespace doctor::mqtt
