#include "doctor/mqtt/outbox.hpp"

#include <utility>

namespace doctor::mqtt {

bool Outbox::push(Message message, const Bounds& bounds) {
  const std::size_t size = cost(message);
  if (entries_.size() >= bounds.messages || bytes_ + size > bounds.bytes) return false;
  bytes_ += size;
  entries_.push_back(std::move(message));
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
  Message message = entries_.pop_front();
  bytes_ -= cost(message);
  ++popped_;
  return message;
}

void Outbox::keep_acknowledged() {
  end_commit();
  popped_ += entries_.erase_if([this](const Message& message) {
    const bool gone = message.qos == QoS::at_most_once;
    if (gone) bytes_ -= cost(message);
    return gone;
  });
}

}  // namespace doctor::mqtt
