#include "doctor/stomp/outbox.hpp"

#include <algorithm>
#include <utility>

namespace doctor::stomp {
namespace {

// Remains of dropped entries that are not worth a compaction.
constexpr std::size_t remains_kept = 64;

}  // namespace

void Outbox::push(Entry entry) {
  if (entries_.size() > 2 * size_ + remains_kept) compact();
  ++size_;
  bytes_ += entry.cost();
  if (entry.subscription) {
    ++entry.subscription->waiting;
    entry.subscription->waiting_bytes += entry.publication->memory();
  }
  // What has been written meanwhile need not be remembered here.
  while (!droppable_.empty() && droppable_.front() < popped_) droppable_.pop_front();
  if (entry.may_be_dropped) droppable_.push_back(popped_ + entries_.size());
  entries_.push_back(std::move(entry));
}

Outbox::Entry Outbox::take(Entry& entry) {
  --size_;
  bytes_ -= entry.cost();
  if (entry.subscription) {
    --entry.subscription->waiting;
    entry.subscription->waiting_bytes -= entry.publication->memory();
  }
  return std::exchange(entry, {});
}

// Without this, what is dropped behind an entry that nobody takes would leave its remains for ever.
void Outbox::compact() {
  std::erase_if(entries_, is_gone);
  droppable_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].may_be_dropped) droppable_.push_back(popped_ + i);
  }
}

std::optional<Outbox::Entry> Outbox::pop() {
  std::optional<Entry> popped;
  while (!popped && !entries_.empty()) {
    if (!is_gone(entries_.front())) popped = take(entries_.front());
    entries_.pop_front();
    ++popped_;
  }
  return popped;
}

std::optional<Outbox::Entry> Outbox::drop_oldest() {
  while (!droppable_.empty()) {
    const std::uint64_t place = droppable_.front();
    droppable_.pop_front();
    if (place < popped_) continue;
    Entry& entry = entries_[static_cast<std::size_t>(place - popped_)];
    if (!is_gone(entry)) return take(entry);
  }
  return std::nullopt;
}

void Outbox::clear_messages() {
  for (Entry& entry : entries_) {
    if (entry.publication) take(entry);
  }
  droppable_.clear();
}

}  // namespace doctor::stomp
