#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/mqtt/feed_position.hpp"
#include "doctor/mqtt/packet.hpp"

// The records of the state that outlives the process, as values and as bytes: docs/formats/mqtt.md
// gives every octet. Whatever bytes are decoded, the worst that happens is an error.
namespace doctor::mqtt {

/// The first octet of a key.
enum class RecordKind : char {
  progress = 'G',      ///< one: Progress
  session = 'S',       ///< session: SessionRecord
  permissions = 'E',   ///< session, revision from which they hold: the text of permissions
  subscription = 'F',  ///< session, number: SubscriptionRecord
  message = 'M',       ///< number: a Publication (Publication::store)
  queued = 'Q',        ///< session, number: QueuedRecord
  retained = 'R',      ///< number of a message: when it was kept, a number
};

/// A key: kind, then two numbers, so that the records of a session stand together.
struct RecordKey {
  RecordKind kind{};
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  static constexpr std::size_t size = 17;
  std::string bytes() const;
  static Result<RecordKey> decode(std::string_view bytes);
};

/// How far commits had been matched when the records were written together.
struct Progress {
  FeedPosition place;

  std::string bytes() const;
  static Result<Progress> decode(std::string_view bytes);
};

/// What changes often of a session, and is small.
struct SessionRecord {
  struct Will {
    std::uint32_t delay = 0;       ///< seconds
    std::optional<Timestamp> due;  ///< while there is no client
    std::string publication;       ///< Publication::store
  };
  /// Retained messages that a subscription is still to hear.
  struct Reading {
    std::uint64_t subscription = 0;  ///< number
    std::uint64_t kept_before = 0;
    std::string after;
  };

  std::string key;                    ///< names (principal, client id)
  document::Revision since;           ///< hears commits after this one
  std::uint32_t expiry = 0;           ///< seconds without a client
  std::optional<Timestamp> ends;      ///< while there is none
  std::optional<FeedPosition> place;  ///< from where it is to hear commits; none: from Progress
  std::uint64_t next_sent = 0;        ///< Inflight::next
  std::vector<std::uint16_t> received;
  std::optional<Will> will;
  std::vector<Reading> readings;

  std::string bytes() const;
  static Result<SessionRecord> decode(std::string_view bytes);
};

struct SubscriptionRecord {
  std::string filter;  ///< as the client wrote it, with its share
  SubscriptionOptions options;
  std::string identifiers;  ///< as properties (Identifiers::properties)

  std::string bytes() const;
  static Result<SubscriptionRecord> decode(std::string_view bytes);
};

/// A message that waits for a client, or that it was sent and has not acknowledged to the end.
struct QueuedRecord {
  enum class Stage : std::uint8_t { waiting, sent, received };

  Stage stage = Stage::waiting;
  QoS qos = QoS::at_least_once;
  bool retain = false;
  bool commit_end = false;
  std::uint64_t message = 0;  ///< number; 0 once it is received
  std::uint64_t sent = 0;     ///< Inflight::Sent::number, once it was
  std::string identifiers;    ///< as properties (Identifiers::properties)

  std::string bytes() const;
  static Result<QueuedRecord> decode(std::string_view bytes);
};

}  // namespace doctor::mqtt
