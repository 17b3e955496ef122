#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "doctor/document/session.hpp"
#include "doctor/stomp/frame.hpp"

namespace doctor::stomp {

/// A message as its sender made it.
struct Message {
  using Headers = std::vector<std::pair<std::string, std::string>>;

  std::string destination;  ///< as MESSAGE will say it
  Headers headers;          ///< the others, in order, no name twice
  std::string body;

  const std::string* header(std::string_view name) const;
  std::size_t memory() const;
};

/// The message in a SEND: its headers but for those that are about the SEND itself or that MESSAGE
/// has of its own. Of a repeated one the first counts.
Message message_of(const Frame& send);

/// Who of those that subscribed may hear a message.
enum class Reach : std::uint8_t {
  subscribers,      ///< all: it is an answer, or says nothing of anyone
  all_readers,      ///< who may read everything: what clients send one another
  connectors,       ///< not sessions, whatever they may read: requests
  subject_readers,  ///< who may read the document that it is about
};

/// A document that a message is about.
struct Subject {
  std::string collection;
  std::string id;
};

/// A message on its way to many: immutable, shared by all who are to hear it. Its headers are
/// written once for each version.
class Publication {
 public:
  Publication(Message message, Reach reach, std::optional<Subject> subject, bool is_answer);

  const Message& message() const { return message_; }
  /// An answer is never dropped: whoever has no room for it is disconnected.
  bool is_answer() const { return is_answer_; }
  bool may_be_heard_by(const document::Principal& principal) const;
  std::size_t memory() const { return memory_; }

  // Of one thread: what follows.

  /// The header lines that are the same for all, with the empty line.
  const std::string& head(Version version) const;
  /// In how many outboxes it waits; kept by them.
  std::size_t places() const { return places_; }
  void add_place() const { ++places_; }
  void remove_place() const { --places_; }

 private:
  Message message_;
  Reach reach_;
  std::optional<Subject> subject_;
  bool is_answer_;
  std::size_t memory_;
  mutable std::array<std::string, 3> heads_;
  mutable std::size_t places_ = 0;
};

using PublicationPtr = std::shared_ptr<const Publication>;

}  // namespace doctor::stomp
