#include "doctor/stomp/outbox.hpp"

#include <algorithm>
#include <utility>

namespace doctor::stomp {
namespace {

// Remains of dropped entries that are not worth a compaction.
constexpr std::size_t remains_kept = 64;

// So many times its own part remains for others, however many outboxes have taken theirs.
constexpr std::size_t parts = 8;

// What the entry adds to all outboxes, or took from them.
std::size_t added_by(const Outbox::Entry& entry) {
  const bool is_shared = entry.publication && entry.publication->places() > 0;
  return entry.cost() - (is_shared ? entry.publication->memory() : 0);
}

}  // namespace

Outbox::~Outbox() {
  if (current_) forget(*current_);
  for (const Entry& entry : entries_) {
    if (!is_gone(entry)) forget(entry);
  }
}

Bound Outbox::passed_by(const Entry& entry, const Bounds& bounds) const {
  if (entry.publication && !all_have_room(entry, bounds)) return Bound::outboxes_bytes;
  if (size_ == 0) return Bound::none;
  if (size_ >= bounds.frames) return Bound::outbox_frames;
  if (bytes_ + entry.cost() > bounds.bytes) return Bound::outbox_bytes;
  if (bytes_ + entry.cost() > room(bounds) / parts) return Bound::outboxes_bytes;
  return Bound::none;
}

bool Outbox::may_hold(const Entry& entry, const Bounds& bounds) const {
  return entry.cost() <= bounds.bytes && added_by(entry) <= room(bounds) + bytes_;
}

bool Outbox::all_have_room(const Entry& entry, const Bounds& bounds) const {
  return all_.bytes_ == 0 || added_by(entry) <= room(bounds);
}

bool Outbox::is_half_empty(const Bounds& bounds) const {
  return size_ <= bounds.frames / 2 && bytes_ <= std::min(bounds.bytes, room(bounds) / parts) / 2;
}

void Outbox::push(Entry entry) {
  if (entries_.size() > 2 * size_ + remains_kept) compact();
  ++size_;
  bytes_ += entry.cost();
  all_.bytes_ += added_by(entry);
  if (entry.publication) entry.publication->add_place();
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

// It is no longer among those of all outboxes.
void Outbox::forget(const Entry& entry) {
  if (entry.publication) entry.publication->remove_place();
  all_.bytes_ -= added_by(entry);
}

// Without this, what is dropped behind an entry that nobody takes would leave its remains for ever.
void Outbox::compact() {
  std::erase_if(entries_, is_gone);
  droppable_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].may_be_dropped) droppable_.push_back(popped_ + i);
  }
}

Outbox::Entry* Outbox::next() {
  while (!current_ && !entries_.empty()) {
    if (!is_gone(entries_.front())) current_ = take(entries_.front());
    entries_.pop_front();
    ++popped_;
  }
  return current();
}

void Outbox::written() {
  forget(*current_);
  current_.reset();
}

std::optional<Outbox::Entry> Outbox::drop_oldest() {
  while (!droppable_.empty()) {
    const std::uint64_t place = droppable_.front();
    droppable_.pop_front();
    if (place < popped_) continue;
    Entry& entry = entries_[static_cast<std::size_t>(place - popped_)];
    if (is_gone(entry)) continue;
    Entry dropped = take(entry);
    forget(dropped);
    return dropped;
  }
  return std::nullopt;
}

void Outbox::clear_messages() {
  for (Entry& entry : entries_) {
    if (entry.publication) forget(take(entry));
  }
  droppable_.clear();
}

}  // namespace doctor::stomp
