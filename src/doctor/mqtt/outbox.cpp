#include "doctor/mqtt/outbox.hpp"

#include <algorithm>
#include <utility>

namespace doctor::mqtt {
namespace {

// After a queue was longer than this, its memory is given back once it is empty.
constexpr std::size_t length_kept = 1000;

}  // namespace

bool Outbox::push(Entry entry, const Bounds& bounds) {
  const std::size_t size = cost(entry);
  if (entries_.size() >= bounds.messages || bytes_ + size > bounds.bytes) return false;
  bytes_ += size;
  entries_.push_back(std::move(entry));
  longest_ = std::max(longest_, entries_.size());
  return true;
}

bool Outbox::push_of_commit(Entry entry, const Bounds& bounds) {
  held_.reset();
  const bool queued = push(std::move(entry), bounds);
  if (queued) held_ = popped_ + entries_.size() - 1;
  return queued;
}

void Outbox::end_commit() {
  if (held_) entries_[*held_ - popped_].commit_end = true;
  held_.reset();
}

const Outbox::Entry* Outbox::next(std::size_t window) const {
  if (entries_.empty() || held_ == popped_) return nullptr;
  const Entry& entry = entries_.front();
  if (entry.qos != QoS::at_most_once && in_flight_.size() >= window) return nullptr;
  return &entry;
}

void Outbox::pop() {
  bytes_ -= cost(entries_.front());
  entries_.pop_front();
  ++popped_;
  // A deque keeps its table of blocks at the largest size it had.
  if (entries_.empty() && longest_ > length_kept) {
    std::deque<Entry>().swap(entries_);
    longest_ = 0;
  }
}

std::uint16_t Outbox::send() {
  do {
    if (++last_packet_id_ == 0) ++last_packet_id_;
  } while (in_flight(last_packet_id_));
  in_flight_.push_back(last_packet_id_);
  return last_packet_id_;
}

bool Outbox::in_flight(std::uint16_t packet_id) const {
  return std::find(in_flight_.begin(), in_flight_.end(), packet_id) != in_flight_.end();
}

bool Outbox::acknowledge(std::uint16_t packet_id) {
  const auto found = std::find(in_flight_.begin(), in_flight_.end(), packet_id);
  if (found == in_flight_.end()) return false;
  in_flight_.erase(found);
  return true;
}

void Outbox::clear() {
  std::deque<Entry>().swap(entries_);
  bytes_ = 0;
  popped_ = 0;
  held_.reset();
  in_flight_.clear();
}

}  // namespace doctor::mqtt
