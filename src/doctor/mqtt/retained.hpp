#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/mqtt/publication.hpp"

namespace doctor::mqtt {

/// The retained messages: the last one of each topic that was published to be kept (§3.3.1.3).
/// Bounded by number and by bytes. A tree by levels, so that a filter costs what it matches.
class Retained {
 public:
  struct Bounds {
    std::size_t messages = 0;
    std::size_t bytes = 0;
  };

  /// Told of each message that is kept, with the number of its keeping, or no longer is.
  using Changed = std::function<void(const PublicationPtr&, std::optional<std::uint64_t> kept)>;
  explicit Retained(Changed changed = {}) : changed_(std::move(changed)) {}

  /// Keeps a message in place of the last one of its topic; one without payload removes that and
  /// is not kept [MQTT-3.3.1-5 -6 -7].
  /// @return false if it is over the bounds: then the topic has no message any more, since the old
  ///         one is no longer the last
  bool keep(PublicationPtr publication, const Bounds& bounds);

  /// Keeps a message that was kept in an earlier life, without telling of it.
  void restore(PublicationPtr publication, std::uint64_t number);

  /// How far the messages for one subscription have been read. What was kept after `begin` is left
  /// out: the subscription heard it live.
  struct Position {
    std::string after;  ///< the topic of the last one that was given; empty: none yet
    std::uint64_t kept_before = 0;
    bool done = false;
  };
  Position begin() const { return {{}, kept_, false}; }
  /// Appends at most `count` further messages whose topics match, in the order of topics, and moves
  /// the position; `done` once there are no more. Between two calls anything may be kept or
  /// removed.
  /// @param filter  valid (is_topic_filter), without a share
  void read(std::string_view filter, Position& position, std::size_t count, Clock::time_point now,
            std::vector<PublicationPtr>& out) const;

  /// Forgets what has expired [MQTT-3.3.2-5]; some times a second.
  void expire(Clock::time_point now);

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Node;
  using Expiries = std::multimap<Clock::time_point, std::string>;  // topics

  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    PublicationPtr message;
    std::uint64_t number = 0;  // counts what was kept before and with it
    Expiries::iterator expiry;

    bool empty() const { return !message && children.empty(); }
  };
  class Reading;

  Node& node_of(std::string_view topic);
  void clear(Node& node);
  bool remove(Node& node, std::string_view topic);
  static std::size_t cost(const Publication& publication);
  void put(PublicationPtr publication, std::uint64_t number);

  const Changed changed_;
  Node root_;
  Expiries expiries_;
  std::uint64_t kept_ = 0;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace doctor::mqtt
