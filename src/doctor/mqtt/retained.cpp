#include "doctor/mqtt/retained.hpp"

#include "doctor/mqtt/levels.hpp"
#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {
namespace {

// What a node of the tree takes beside its level's text.
constexpr std::size_t node_memory = 192;

}  // namespace

std::size_t Retained::cost(const Publication& publication) {
  return publication.memory() + node_memory + publication.topic().size();
}

Retained::Node& Retained::node_of(std::string_view topic) {
  Node* node = &root_;
  for (std::optional<std::string_view> rest = topic; rest;) {
    const Levels levels = split_level(*rest);
    auto child = node->children.find(levels.first);
    if (child == node->children.end()) {
      child = node->children.emplace(levels.first, std::make_unique<Node>()).first;
    }
    node = child->second.get();
    rest = levels.rest;
  }
  return *node;
}

// Takes the message off a node that has one.
void Retained::clear(Node& node) {
  --size_;
  bytes_ -= cost(*node.message);
  if (node.message->expires()) expiries_.erase(node.expiry);
  if (changed_) changed_(node.message, std::nullopt);
  node.message.reset();
}

// Removes the message below `node`, and the nodes that then hold nothing; whether it was there.
bool Retained::remove(Node& node, std::string_view topic) {
  const Levels levels = split_level(topic);
  const auto child = node.children.find(levels.first);
  if (child == node.children.end()) return false;
  Node& next = *child->second;
  if (levels.rest) {
    if (!remove(next, *levels.rest)) return false;
  } else {
    if (!next.message) return false;
    clear(next);
  }
  if (next.empty()) node.children.erase(child);
  return true;
}

bool Retained::keep(PublicationPtr publication, const Bounds& bounds) {
  const std::string_view topic = publication->topic();
  remove(root_, topic);
  if (!publication->has_payload()) return true;
  const std::size_t size = cost(*publication);
  if (size_ >= bounds.messages || bytes_ + size > bounds.bytes) return false;
  if (changed_) changed_(publication, kept_ + 1);
  put(std::move(publication), kept_ + 1);
  return true;
}

void Retained::restore(PublicationPtr publication, std::uint64_t number) {
  remove(root_, publication->topic());
  put(std::move(publication), number);
}

void Retained::put(PublicationPtr publication, std::uint64_t number) {
  Node& node = node_of(publication->topic());
  node.number = number;
  kept_ = std::max(kept_, number);
  if (const auto expires = publication->expires()) {
    node.expiry = expiries_.emplace(*expires, publication->topic());
  }
  ++size_;
  bytes_ += cost(*publication);
  node.message = std::move(publication);
}

void Retained::expire(Clock::time_point now) {
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    const std::string topic = expiries_.begin()->second;  // `remove` takes the entry away
    remove(root_, topic);
  }
}

// One walk through the tree: a node's message first, then what is below it by the order of levels.
class Retained::Reading {
 public:
  Reading(Position& position, std::size_t count, Clock::time_point now,
          std::vector<PublicationPtr>& out)
      : position_(position), end_(out.size() + count), now_(now), out_(out) {}

  // `after`: what is left of the position's topic, if this node is on the way to it; then only
  // what comes behind that is read. It is empty, not absent, at the topic's own node.
  struct After {
    bool on_the_way = false;
    std::optional<std::string_view> rest;
  };

  // False once there is enough.
  bool read(const Node& node, std::optional<std::string_view> filter, After after, bool top) {
    if (!filter) return after.on_the_way || take(node);
    const Levels levels = split_level(*filter);
    if (levels.first == "#") {
      if (!after.on_the_way && !take(node)) return false;
      return read_below(node, filter, after, top);
    }
    if (levels.first == "+") return read_below(node, levels.rest, after, top);
    if (after.on_the_way && after.rest) {
      const Levels reached = split_level(*after.rest);
      if (levels.first < reached.first) return true;
      if (levels.first == reached.first) return descend(node, levels, {true, reached.rest});
    }
    return descend(node, levels, {});
  }

 private:
  bool descend(const Node& node, const Levels& levels, After after) {
    const auto child = node.children.find(levels.first);
    return child == node.children.end() || read(*child->second, levels.rest, after, false);
  }

  // Every child, for a wildcard. `$` in the first level is for a server's own purposes
  // [MQTT-4.7.2-1].
  bool read_below(const Node& node, std::optional<std::string_view> filter, After after, bool top) {
    auto child = node.children.begin();
    Levels reached;
    if (after.on_the_way && after.rest) {
      reached = split_level(*after.rest);
      child = node.children.lower_bound(reached.first);
    }
    for (; child != node.children.end(); ++child) {
      if (top && is_reserved(child->first)) continue;
      const bool on_the_way = after.on_the_way && after.rest && child->first == reached.first;
      const After further = on_the_way ? After{true, reached.rest} : After{};
      if (!read(*child->second, filter, further, false)) return false;
    }
    return true;
  }

  bool take(const Node& node) {
    if (!node.message || node.number > position_.kept_before || node.message->expired(now_)) {
      return true;
    }
    if (out_.size() == end_) return false;
    out_.push_back(node.message);
    position_.after = node.message->topic();
    return true;
  }

  Position& position_;
  const std::size_t end_;
  const Clock::time_point now_;
  std::vector<PublicationPtr>& out_;
};

void Retained::read(std::string_view filter, Position& position, std::size_t count,
                    Clock::time_point now, std::vector<PublicationPtr>& out) const {
  if (position.done) return;
  const std::string after = position.after;
  Reading reading(position, count, now, out);
  Reading::After start;
  if (!after.empty()) start = {true, after};
  position.done = reading.read(root_, filter, start, true);
}

}  // namespace doctor::mqtt
