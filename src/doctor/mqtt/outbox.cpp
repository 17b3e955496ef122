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

std::uint64_t Outbox::acknowledged_before(std::uint64_t place) const {
  std::uint64_t kept = popped_;
  for (std::uint64_t i = popped_; i < place; ++i) {
    if (entries_[i - popped_].qos != QoS::at_most_once) ++kept;
  }
  return kept;
}

void Outbox::forget_records() {
  for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].record = 0;
}

void Outbox::keep_acknowledged() {
  held_.reset();  // it is not known any more whether it was the last one
  entries_.erase_if([this](const Message& message) {
    const bool gone = message.qos == QoS::at_most_once;
    if (gone) bytes_ -= cost(message);
    return gone;
  });
}

}  // namespace doctor::mqtt
