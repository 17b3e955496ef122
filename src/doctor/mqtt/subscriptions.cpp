#include "doctor/mqtt/subscriptions.hpp"

#include <algorithm>

#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {
namespace {

// A topic or filter, its first level taken off; nothing is left after the last level.
struct Levels {
  std::string_view first;
  std::optional<std::string_view> rest;
};

Levels split(std::string_view topic) {
  const auto slash = topic.find('/');
  if (slash == std::string_view::npos) return {topic, std::nullopt};
  return {topic.substr(0, slash), topic.substr(slash + 1)};
}

template <class List>
auto place_of(List& list, SubscriberNumber number) {
  return std::lower_bound(list.begin(), list.end(), number,
                          [](const auto& entry, SubscriberNumber n) { return entry.number < n; });
}

}  // namespace

Subscriptions::List* Subscriptions::list_of(std::string_view filter, bool make) {
  if (!has_wildcard(filter)) {
    const auto found = exact_.find(filter);
    if (found != exact_.end()) return &found->second;
    return make ? &exact_[std::string(filter)] : nullptr;
  }
  Node* node = &root_;
  for (std::optional<std::string_view> rest = filter; rest;) {
    const auto [first, after] = split(*rest);
    if (first == "#") return &node->below;
    std::unique_ptr<Node>* next = nullptr;
    if (first == "+") {
      next = &node->plus;
    } else if (const auto found = node->children.find(first); found != node->children.end()) {
      next = &found->second;
    } else if (make) {
      next = &node->children[std::string(first)];
    }
    if (next == nullptr || (!*next && !make)) return nullptr;
    if (!*next) *next = std::make_unique<Node>();
    node = next->get();
    rest = after;
  }
  return &node->here;
}

void Subscriptions::add(SubscriberNumber subscriber, std::string_view filter,
                        SubscriptionOptions options) {
  List& list = *list_of(filter, true);
  const auto place = place_of(list, subscriber);
  if (place != list.end() && place->number == subscriber) {
    place->options = options;
    return;
  }
  list.insert(place, {subscriber, options});
  ++size_;
  if (seen_.size() <= subscriber) seen_.resize(subscriber + 1);
}

std::optional<SubscriptionOptions> Subscriptions::find(SubscriberNumber subscriber,
                                                       std::string_view filter) const {
  // Without `make` nothing is changed.
  const List* list = const_cast<Subscriptions*>(this)->list_of(filter, false);
  if (list == nullptr) return std::nullopt;
  const auto place = place_of(*list, subscriber);
  if (place == list->end() || place->number != subscriber) return std::nullopt;
  return place->options;
}

bool Subscriptions::remove(SubscriberNumber subscriber, std::string_view filter) {
  List* list = list_of(filter, false);
  if (list == nullptr) return false;
  const auto place = place_of(*list, subscriber);
  if (place == list->end() || place->number != subscriber) return false;
  list->erase(place);
  --size_;
  if (!list->empty()) return true;
  if (!has_wildcard(filter)) {
    exact_.erase(exact_.find(filter));
  } else {
    List().swap(*list);
    prune(root_, filter);
  }
  return true;
}

// Removes the nodes along `filter` that hold nothing any more, the deepest first.
void Subscriptions::prune(Node& node, std::string_view filter) {
  const auto [first, rest] = split(filter);
  if (first == "#") return;
  if (first == "+") {
    if (rest) prune(*node.plus, *rest);
    if (node.plus->empty()) node.plus.reset();
    return;
  }
  const auto child = node.children.find(first);
  if (rest) prune(*child->second, *rest);
  if (child->second->empty()) node.children.erase(child);
}

void Subscriptions::take(const List& list) {
  if (!list.empty()) lists_.push_back(&list);
}

void Subscriptions::collect(const Node& node, std::string_view topic, bool first_level) {
  // Wildcards in the first level do not match topics that begin with `$` [MQTT-4.7.2-1].
  const bool wildcards = !(first_level && is_reserved(topic));
  const Levels levels = split(topic);
  if (wildcards) take(node.below);
  const auto descend = [&](const Node& next) {
    if (levels.rest) return collect(next, *levels.rest, false);
    take(next.here);
    take(next.below);  // `a/#` matches `a` too
  };
  if (wildcards && node.plus) descend(*node.plus);
  if (node.children.empty()) return;
  const auto child = node.children.find(levels.first);
  if (child != node.children.end()) descend(*child->second);
}

void Subscriptions::match(std::string_view topic, std::optional<SubscriberNumber> publisher,
                          std::vector<Subscriber>& matches) {
  matches.clear();
  lists_.clear();
  if (const auto found = exact_.find(topic); found != exact_.end()) take(found->second);
  collect(root_, topic, true);
  if (lists_.empty()) return;
  if (lists_.size() == 1 && !publisher) {
    matches.assign(lists_[0]->begin(), lists_[0]->end());
    return;
  }
  if (++match_number_ == 0) {
    std::fill(seen_.begin(), seen_.end(), Seen{});
    match_number_ = 1;
  }
  for (const List* list : lists_) {
    for (const Subscriber& subscriber : *list) {
      if (subscriber.options.no_local && publisher == subscriber.number) continue;
      Seen& seen = seen_[subscriber.number];
      if (seen.match != match_number_) {
        seen = {match_number_, static_cast<std::uint32_t>(matches.size())};
        matches.push_back(subscriber);
        continue;
      }
      SubscriptionOptions& options = matches[seen.position].options;
      options.qos = std::max(options.qos, subscriber.options.qos);
      options.retain_as_published |= subscriber.options.retain_as_published;
    }
  }
}

}  // namespace doctor::mqtt
