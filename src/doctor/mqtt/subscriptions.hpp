#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "doctor/base/crypto.hpp"
#include "doctor/mqtt/identifiers.hpp"
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
    IdentifiersPtr identifiers;  ///< null: none
  };

  /// The members of one shared subscription, of whom each message goes to one (§4.8.2).
  struct Group {
    std::string name;
    std::vector<Subscriber> members;  // never empty
    std::size_t turn = 0;             // whose it is: a place in `members`

    /// The next member in turn that `takes(number)`; null if none does.
    template <class Takes>
    const Subscriber* next(Takes takes) {
      for (std::size_t i = 0; i < members.size(); ++i) {
        const Subscriber& member = members[(turn + i) % members.size()];
        if (!takes(member.number)) continue;
        turn = (turn + i + 1) % members.size();
        return &member;
      }
      return nullptr;
    }
  };

  /// What one subscribes to. Equal filters of different groups are different subscriptions.
  struct Filter {
    std::string_view topics;  ///< valid (is_topic_filter)
    std::string_view group;   ///< names a shared subscription; empty: the subscriber's own
  };

  /// Subscribes, or replaces options and identifiers of the same subscription [MQTT-3.8.4-3].
  void add(Subscriber subscriber, Filter filter);
  /// Whether there was such a subscription.
  bool remove(SubscriberNumber subscriber, Filter filter);
  /// Null if there is none; valid until the next `add` or `remove`.
  const Subscriber* find(SubscriberNumber subscriber, Filter filter) const;

  struct Matches {
    std::vector<Subscriber> each;
    std::vector<Group*> groups;  ///< valid until the next `add` or `remove`

    bool empty() const { return each.empty() && groups.empty(); }
  };
  /// Fills `matches` with everyone who has a filter of their own for the topic, each once however
  /// many match: at the highest of their QoS [MQTT-3.3.4-2], with the identifiers of all
  /// [MQTT-3.3.4-4]; and with the groups that have one.
  /// @param publisher  who sent the message: passed over by its subscriptions with No Local
  void match(std::string_view topic, std::optional<SubscriberNumber> publisher, Matches& matches);

  std::size_t size() const { return size_; }

 private:
  struct List {
    std::vector<Subscriber> each;  // by number
    std::vector<Group> groups;     // by name

    bool empty() const { return each.empty() && groups.empty(); }
  };

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

  List* list_of(std::string_view topics, bool make);
  void tidy(List& list, std::string_view topics);
  void prune(Node& node, std::string_view filter);
  void collect(Node& node, std::string_view topic, bool first_level);
  void take(List& list);

  ByText<List> exact_;
  Node root_;
  std::size_t size_ = 0;

  // For `match`: the lists that apply, and by subscriber the last match it was in and where.
  struct Seen {
    std::uint32_t match = 0;
    std::uint32_t position = 0;
  };
  std::vector<List*> lists_;
  std::vector<Seen> seen_;
  std::uint32_t match_number_ = 0;
};

}  // namespace doctor::mqtt
