#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "doctor/base/crypto.hpp"
#include "doctor/mqtt/packet.hpp"

namespace doctor::mqtt {

/// The place of a client in the broker's table; small numbers, used again.
using SubscriberNumber = std::uint32_t;

/// Who subscribes to what. Filters without wildcards stand in a hash table by their text, the
/// others in a tree by levels, so that a topic costs what matches it, not what is subscribed.
class Subscriptions {
 public:
  struct Subscriber {
    SubscriberNumber number;
    SubscriptionOptions options;
  };

  /// Subscribes, or replaces the options of the same subscription [MQTT-3.8.4-3].
  /// @param filter  valid (is_topic_filter)
  void add(SubscriberNumber subscriber, std::string_view filter, SubscriptionOptions options);
  /// Whether there was such a subscription.
  bool remove(SubscriberNumber subscriber, std::string_view filter);
  std::optional<SubscriptionOptions> find(SubscriberNumber subscriber,
                                          std::string_view filter) const;

  /// Fills `matches` with everyone who has a filter for the topic, each once however many of its
  /// filters match: at the highest of their QoS [MQTT-3.3.4-2].
  /// @param publisher  who sent the message: passed over by its subscriptions with No Local
  void match(std::string_view topic, std::optional<SubscriberNumber> publisher,
             std::vector<Subscriber>& matches);

  std::size_t size() const { return size_; }

 private:
  using List = std::vector<Subscriber>;  // by number

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return hash64(text); }
  };
  template <class Value>
  using ByText = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

  // One level of filters with wildcards.
  struct Node {
    ByText<std::unique_ptr<Node>> children;
    std::unique_ptr<Node> plus;  // a level `+`
    List here;                   // filters that end with this level
    List below;                  // filters that go on with `#`

    bool empty() const { return children.empty() && !plus && here.empty() && below.empty(); }
  };

  List* list_of(std::string_view filter, bool make);
  void prune(Node& node, std::string_view filter);
  void collect(const Node& node, std::string_view topic, bool first_level);
  void take(const List& list);

  ByText<List> exact_;
  Node root_;
  std::size_t size_ = 0;

  // For `match`: the lists that apply, and by subscriber the last match it was in and where.
  struct Seen {
    std::uint32_t match = 0;
    std::uint32_t position = 0;
  };
  std::vector<const List*> lists_;
  std::vector<Seen> seen_;
  std::uint32_t match_number_ = 0;
};

}  // namespace doctor::mqtt
