#include "doctor/document/feed.hpp"

#include <algorithm>
#include <utility>

namespace doctor::document {
namespace {

// What the allocator adds to a block, and how much of a text lies within its object.
constexpr std::size_t heap_overhead = 16;
constexpr std::size_t text_within = 15;

// How many changes are read from the log at once.
constexpr std::size_t part_size = 512;

std::size_t heap_of(const std::string& text) {
  return text.capacity() > text_within ? text.capacity() + heap_overhead : 0;
}

std::size_t memory_of(const Commit& commit) {
  std::size_t bytes = sizeof(commit) + commit.changes.capacity() * sizeof(Change);
  for (const Change& change : commit.changes) {
    bytes += heap_of(change.collection) + heap_of(change.id);
    if (change.fields.empty()) continue;
    bytes += heap_overhead + change.fields.capacity() * sizeof(std::string);
    for (const std::string& field : change.fields) bytes += heap_of(field);
  }
  return bytes;
}

}  // namespace

void Feed::begin_after(Revision revision) {
  forget_before(Revision(newest_.value + 1));
  newest_ = revision;
}

void Feed::add(CommitPtr commit) {
  newest_ = commit->revision;
  const std::size_t size = memory_of(*commit);
  while (!commits_.empty() && bytes_ + size > bytes_max_) forget_oldest();
  if (size > bytes_max_) return;
  bytes_ += size;
  commits_.push_back({std::move(commit), size});
}

void Feed::forget_before(Revision revision) {
  while (!commits_.empty() && commits_.front().commit->revision < revision) forget_oldest();
}

void Feed::forget_oldest() {
  bytes_ -= commits_.front().bytes;
  commits_.pop_front();
}

const Commit* Feed::held(Revision revision) const {
  if (commits_.empty() || revision < commits_.front().commit->revision) return nullptr;
  const auto place = revision.value - commits_.front().commit->revision.value;
  return place < commits_.size() ? commits_[place].commit.get() : nullptr;
}

std::optional<Feed::Stretch> Feed::read(FeedPlace& place, std::size_t max) {
  const Commit* commit = held(place.revision);
  if (commit == nullptr) return read_log(place, max);
  const std::span<const Change> all = commit->changes;
  const std::size_t from = std::min(place.index, all.size());
  const std::size_t count = std::min(max, all.size() - from);
  return Stretch{all.subspan(from, count), from + count == all.size()};
}

std::optional<Feed::Stretch> Feed::read_log(FeedPlace& place, std::size_t max) {
  if (place.after_part && place.after_part->index <= place.index) {
    place.part = *std::exchange(place.after_part, std::nullopt);
  }
  auto part = log_(place.revision, place.part.from, part_size);
  if (!part) return std::nullopt;
  part_ = std::move(*part);
  const std::size_t end = place.part.index + part_.changes.size();
  if (!part_.last) place.after_part = FeedPlace::Mark{part_.next, end};
  // A reader that came from memory has to find its place first.
  if (place.index >= end) return Stretch{{}, part_.last};
  const std::size_t count = std::min(max, end - place.index);
  const std::span<const Change> all = part_.changes;
  return Stretch{all.subspan(place.index - place.part.index, count),
                 part_.last && place.index + count == end};
}

void Feed::pass(FeedPlace& place, const Stretch& stretch, std::size_t count) {
  place.index += count;
  if (count < stretch.changes.size() || !stretch.ends_commit) return;
  place = FeedPlace{Revision(place.revision.value + 1), 0, {}, {}};
}

}  // namespace doctor::document
