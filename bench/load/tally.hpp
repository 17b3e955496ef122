#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "load/measure.hpp"

namespace bench::load {

/// Counts messages that carry their topic, their number in it and when they were due: none is lost
/// or comes twice unseen.
class Tally {
 public:
  struct Mark {  // what a payload begins with
    std::uint64_t number;
    std::int64_t due;
    std::uint64_t topic;
  };
  /// What one subscriber has heard: by topic, the number that its next message has.
  using Heard = std::vector<std::uint64_t>;

  Tally() { latencies_.reserve(latencies_max); }

  /// @return the number of a further topic
  std::size_t add_topic() {
    topics_.emplace_back().heard.resize(ring);
    return topics_.size() - 1;
  }
  Heard nothing_heard() const { return Heard(topics_.size()); }
  void add_subscriber(std::size_t topic) { ++topics_[topic].subscribers; }

  Mark send(std::size_t topic, std::int64_t due) { return {topics_[topic].sent++, due, topic}; }
  void hear(Heard& heard, std::string_view payload, std::int64_t now) {
    Mark mark{};
    std::memcpy(&mark, payload.data(), sizeof mark);
    last_arrival_ = now;
    std::uint64_t& next = heard[mark.topic];
    if (mark.number < next) {
      ++twice_;
      return;
    }
    ++arrived_;
    if (latencies_.size() < latencies_max) latencies_.push_back(now - mark.due);
    skipped_ += mark.number - next;
    Topic& topic = topics_[mark.topic];
    for (; next <= mark.number; ++next) ++topic.heard[next % ring];
    while (topic.complete < topic.sent && topic.heard[topic.complete % ring] == topic.subscribers) {
      topic.heard[topic.complete++ % ring] = 0;
    }
  }

  std::uint64_t sent(std::size_t topic) const { return topics_[topic].sent; }
  /// Messages of a topic that all have heard.
  std::uint64_t complete(std::size_t topic) const { return topics_[topic].complete; }
  std::int64_t last_arrival() const { return last_arrival_; }
  std::uint64_t arrived() const { return arrived_; }
  /// Behind the last message that a subscriber has heard.
  std::uint64_t missing() const {
    std::uint64_t total = 0;
    for (const Topic& topic : topics_) total += topic.sent * topic.subscribers;
    return total - arrived_ - skipped_;
  }

  void begin(std::int64_t now) { last_arrival_ = now; }
  void print_all() {
    std::uint64_t sent = 0;
    for (const Topic& topic : topics_) sent += topic.sent;
    print("sent", static_cast<double>(sent));
    print("arrived", static_cast<double>(arrived_));
    print("lost", static_cast<double>(skipped_ + missing()));
    print("twice", static_cast<double>(twice_));
    if (latencies_.empty()) return;
    for (const auto& [name, share] : {std::pair{"p50_us", 0.5}, {"p99_us", 0.99}}) {
      const auto place = latencies_.begin() + static_cast<std::ptrdiff_t>(
                                                  share * static_cast<double>(latencies_.size()));
      std::nth_element(latencies_.begin(), place, latencies_.end());
      print(name, static_cast<double>(*place) / 1e3);
    }
  }

 private:
  static constexpr std::size_t ring = 1u << 16;  // messages of a topic on their way, at most
  static constexpr std::size_t latencies_max = 4'000'000;

  struct Topic {
    std::vector<std::uint32_t> heard;  // by how many, of each message on its way
    std::uint32_t subscribers = 0;
    std::uint64_t sent = 0;
    std::uint64_t complete = 0;
  };

  std::vector<Topic> topics_;
  std::int64_t last_arrival_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t twice_ = 0;
  std::vector<std::int64_t> latencies_;
};

}  // namespace bench::load
