#include "doctor/mqtt/subscriptions.hpp"

#include <algorithm>

#include "doctor/mqtt/levels.hpp"
#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {
namespace {

template <class Subscribers>
auto place_of(Subscribers& subscribers, SubscriberNumber number) {
  return std::lower_bound(subscribers.begin(), subscribers.end(), number,
                          [](const auto& entry, SubscriberNumber n) { return entry.number < n; });
}

template <class Groups>
auto group_of(Groups& groups, std::string_view name) {
  return std::lower_bound(groups.begin(), groups.end(), name,
                          [](const auto& group, std::string_view n) { return group.name < n; });
}

// The list in which a subscription stands; null if its group is not there.
template <class List>
auto* subscribers_of(List& list, std::string_view group) {
  if (group.empty()) return &list.each;
  const auto found = group_of(list.groups, group);
  const bool there = found != list.groups.end() && found->name == group;
  return there ? &found->members : nullptr;
}

}  // namespace

Subscriptions::List* Subscriptions::list_of(std::string_view topics, bool make) {
  if (!has_wildcard(topics)) {
    const auto found = exact_.find(topics);
    if (found != exact_.end()) return &found->second;
    return make ? &exact_[std::string(topics)] : nullptr;
  }
  Node* node = &root_;
  for (std::optional<std::string_view> rest = topics; rest;) {
    const auto [first, after] = split_level(*rest);
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

void Subscriptions::add(Subscriber subscriber, Filter filter) {
  List& list = *list_of(filter.topics, true);
  if (!filter.group.empty() && subscribers_of(list, filter.group) == nullptr) {
    list.groups.insert(group_of(list.groups, filter.group), {std::string(filter.group), {}, 0});
  }
  std::vector<Subscriber>& subscribers = *subscribers_of(list, filter.group);
  const auto place = place_of(subscribers, subscriber.number);
  if (place != subscribers.end() && place->number == subscriber.number) {
    *place = std::move(subscriber);
    return;
  }
  if (seen_.size() <= subscriber.number) seen_.resize(subscriber.number + 1);
  subscribers.insert(place, std::move(subscriber));
  ++size_;
}

const Subscriptions::Subscriber* Subscriptions::find(SubscriberNumber subscriber,
                                                     Filter filter) const {
  // Without `make` nothing is changed.
  List* list = const_cast<Subscriptions*>(this)->list_of(filter.topics, false);
  const auto* subscribers = list == nullptr ? nullptr : subscribers_of(*list, filter.group);
  if (subscribers == nullptr) return nullptr;
  const auto place = place_of(*subscribers, subscriber);
  return place != subscribers->end() && place->number == subscriber ? &*place : nullptr;
}

bool Subscriptions::remove(SubscriberNumber subscriber, Filter filter) {
  if (find(subscriber, filter) == nullptr) return false;
  List& list = *list_of(filter.topics, false);
  std::vector<Subscriber>& subscribers = *subscribers_of(list, filter.group);
  subscribers.erase(place_of(subscribers, subscriber));
  --size_;
  if (subscribers.empty() && !filter.group.empty()) {
    list.groups.erase(group_of(list.groups, filter.group));
  }
  if (list.empty()) tidy(list, filter.topics);
  return true;
}

// Gives back what an empty list and the way to it took.
void Subscriptions::tidy(List& list, std::string_view topics) {
  if (!has_wildcard(topics)) {
    exact_.erase(exact_.find(topics));
    return;
  }
  list = List();
  prune(root_, topics);
}

// Removes the nodes along `filter` that hold nothing any more, the deepest first.
void Subscriptions::prune(Node& node, std::string_view filter) {
  const auto [first, rest] = split_level(filter);
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

void Subscriptions::take(List& list) {
  if (!list.empty()) lists_.push_back(&list);
}

void Subscriptions::collect(Node& node, std::string_view topic, bool first_level) {
  // Wildcards in the first level do not match topics that begin with `$` [MQTT-4.7.2-1].
  const bool wildcards = !(first_level && is_reserved(topic));
  const Levels levels = split_level(topic);
  if (wildcards) take(node.below);
  const auto descend = [&](Node& next) {
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
                          Matches& matches) {
  matches.each.clear();
  matches.groups.clear();
  lists_.clear();
  if (const auto found = exact_.find(topic); found != exact_.end()) take(found->second);
  collect(root_, topic, true);
  for (List* list : lists_) {
    for (Group& group : list->groups) matches.groups.push_back(&group);
  }
  if (lists_.size() == 1 && !publisher) {
    matches.each.assign(lists_[0]->each.begin(), lists_[0]->each.end());
    return;
  }
  if (++match_number_ == 0) {
    std::fill(seen_.begin(), seen_.end(), Seen{});
    match_number_ = 1;
  }
  for (const List* list : lists_) {
    for (const Subscriber& subscriber : list->each) {
      if (subscriber.options.no_local && publisher == subscriber.number) continue;
      Seen& seen = seen_[subscriber.number];
      if (seen.match != match_number_) {
        seen = {match_number_, static_cast<std::uint32_t>(matches.each.size())};
        matches.each.push_back(subscriber);
        continue;
      }
      Subscriber& match = matches.each[seen.position];
      match.options.qos = std::max(match.options.qos, subscriber.options.qos);
      match.options.retain_as_published |= subscriber.options.retain_as_published;
      match.identifiers = Identifiers::both(match.identifiers, subscriber.identifiers);
    }
  }
}

}  // namespace doctor::mqtt
