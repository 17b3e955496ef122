#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "doctor/base/time.hpp"
#include "doctor/document/commit.hpp"
#include "doctor/document/permissions.hpp"
#include "doctor/mqtt/aliases.hpp"
#include "doctor/mqtt/feed_position.hpp"
#include "doctor/mqtt/identifiers.hpp"
#include "doctor/mqtt/packet.hpp"
#include "doctor/mqtt/timeline.hpp"

namespace doctor::mqtt {

class Publication;
/// Counted without atomics: a broker and its messages live on one thread.
using PublicationPtr = boost::intrusive_ptr<const Publication>;

/// A message on its way to any number of clients, an immutable value. The parts that are the same
/// for all (topic, properties, payload) are encoded once; a receiver's copy adds a fixed header of
/// a few bytes and, at QoS 1 and 2, its packet identifier.
class Publication : public boost::intrusive_ref_counter<Publication, boost::thread_unsafe_counter> {
 public:
  /// What one change announces, as page 3 says.
  static PublicationPtr announcement(std::string_view topic, const document::Change& change,
                                     const FeedPosition& position);
  /// What a client published; the properties that are for the receiver are kept as they are, in
  /// their order [MQTT-3.3.2-4 -15 -16 -18 -20].
  /// @param publisher  Session::publisher; 0: the broker itself
  static PublicationPtr of_client(const Publish& publish, Clock::time_point now,
                                  std::uint64_t publisher = 0);
  /// The same, whose Message Expiry Interval begins only now: a will (§3.1.3.2.4).
  static PublicationPtr begun(const Publication& publication, Clock::time_point now);

  /// As a record of the state that outlives the process; appended.
  void store(const Timeline& timeline, std::string& out) const;
  /// What `store` wrote; null if it was something else.
  static PublicationPtr restored(std::string_view bytes, const Timeline& timeline);

  /// Whether a reader with these permissions may hear it: of a document, if it may be read; what
  /// clients publish, only with permission for everything.
  bool may_be_heard(const document::Permissions& permissions) const;

  std::string_view topic() const;
  bool is_of_client() const { return of_client_; }
  std::uint64_t publisher() const { return publisher_; }
  /// Of an announcement.
  const FeedPosition& position() const { return position_; }
  bool retain() const { return retain_; }
  QoS qos() const { return qos_; }  ///< at which it was published
  bool has_payload() const { return bytes_.size() > topic_size_ + properties_size_; }
  /// Whether its Message Expiry Interval has ended [MQTT-3.3.2-5].
  bool expired(Clock::time_point now) const { return expires_ && *expires_ <= now; }
  std::optional<Clock::time_point> expires() const { return expires_; }

  /// One receiver's copy.
  struct Copy {
    Version version = Version::v5_0;
    QoS qos = QoS::at_most_once;
    bool retain = false;
    bool commit_end = false;      ///< the last one of its commit for this receiver
    std::uint16_t packet_id = 0;  ///< at QoS 1 and 2
    Clock::time_point now;        ///< what is left of the Message Expiry Interval is sent on
    bool dup = false;             ///< it was sent before, on another connection [MQTT-3.3.1-1]
    const Identifiers* identifiers = nullptr;  ///< of the subscriptions that it matched, if any
    SentAliases::Alias alias{};                ///< a known one stands for the topic
  };
  /// Of the whole PUBLISH, fixed header and all.
  std::size_t encoded_size(const Copy& copy) const;
  /// Appends the PUBLISH.
  void encode(const Copy& copy, std::string& out) const;

  /// Bytes of memory that it takes.
  std::size_t memory() const { return sizeof(Publication) + bytes_.capacity() + heap_overhead; }

 private:
  // What the allocator adds to the two blocks of a publication.
  static constexpr std::size_t heap_overhead = 32;

  Publication() = default;
  std::size_t topic_size(const Copy& copy) const;
  std::size_t properties_size(const Copy& copy) const;
  std::size_t remaining_length(const Copy& copy) const;

  // As on the wire: topic with its length, properties without theirs, payload.
  std::string bytes_;
  std::uint32_t topic_size_ = 0;
  std::uint32_t properties_size_ = 0;
  std::uint16_t collection_size_ = 0;  // of an announcement: the topic's first level
  bool id_is_plain_ = false;           // nothing of the id is percent-encoded
  bool of_client_ = false;
  bool retain_ = false;
  QoS qos_ = QoS::at_most_once;
  std::uint64_t publisher_ = 0;
  Clock::time_point published_;
  std::optional<Clock::time_point> expires_;
  FeedPosition position_;
};

}  // namespace doctor::mqtt
