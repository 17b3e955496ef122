#include "doctor/mqtt/outbox.hpp"

#include <algorithm>
#include <utility>

namespace doctor::mqtt {
namespace {

// After a queue was longer than this, its memory is given back once it is empty.
constexpr std::size_t length_kept = 1000;

}  // namespace

bool Outbox::push(Message message, const Bounds& bounds) {
  const std::size_t size = cost(message);
  if (entries_.size() >= bounds.messages || bytes_ + size > bounds.bytes) return false;
  bytes_ += size;
  entries_.push_back(std::move(message));
  longest_ = std::max(longest_, entries_.size());
  return true;
}

bool Outbox::push_of_commit(Message message, const Bounds& bounds) {
  held_.reset();
  const bool queued = push(std::move(message), bounds);
  if (queued) held_ = popped_ + entries_.size() - 1;
  return queued;
}

void Outbox::end_commit() {
  if (held_) entries_[*held_ - popped_].commit_end = true;
  held_.reset();
}

const Message* Outbox::next() const {
  return entries_.empty() || held_ == popped_ ? nullptr : &entries_.front();
}

Message Outbox::pop() {
  Message message = std::move(entries_.front());
  bytes_ -= cost(message);
  entries_.pop_front();
  ++popped_;
  // A deque keeps its table of blocks at the largest size it had.
  if (entries_.empty() && longest_ > length_kept) {
    std::deque<Message>().swap(entries_);
    longest_ = 0;
  }
  return message;
}

void Outbox::keep_acknowledged() {
  end_commit();
  std::deque<Message> kept;
  bytes_ = 0;
  for (Message& message : entries_) {
    if (message.qos == QoS::at_most_once) continue;
    bytes_ += cost(message);
    kept.push_back(std::move(message));
  }
  popped_ += entries_.size() - kept.size();
  entries_ = std::move(kept);
  longest_ = entries_.size();
}

}  // namespace doctor::mqtt
