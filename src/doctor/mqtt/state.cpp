#include "doctor/mqtt/state.hpp"

#include <utility>

namespace doctor::mqtt {

void State::put(const RecordKey& key, std::string value, bool is_new) {
  auto [found, inserted] = pending_.try_emplace(key.bytes());
  Pending& pending = found->second;
  if (inserted) {
    pending.is_new = is_new;
    bytes_ += RecordKey::size;
  } else if (pending.value) {
    bytes_ -= pending.value->size();
  }
  bytes_ += value.size();
  pending.value = std::move(value);
}

void State::create(const RecordKey& key, std::string value) {
  put(key, std::move(value), true);
}

void State::replace(const RecordKey& key, std::string value) {
  put(key, std::move(value), false);
}

void State::erase(const RecordKey& key) {
  auto [found, inserted] = pending_.try_emplace(key.bytes());
  Pending& pending = found->second;
  if (inserted) bytes_ += RecordKey::size;
  if (pending.value) bytes_ -= pending.value->size();
  pending.value.reset();
  if (!pending.is_new) return;
  bytes_ -= RecordKey::size;
  pending_.erase(found);
}

std::uint64_t State::hold(const PublicationPtr& publication, const Timeline& timeline) {
  Held& held = held_[publication.get()];
  if (held.holders++ == 0) {
    held.number = new_number();
    std::string value;
    publication->store(timeline, value);
    create({RecordKind::message, held.number, 0}, std::move(value));
  }
  return held.number;
}

void State::release(const PublicationPtr& publication) {
  const auto found = held_.find(publication.get());
  if (found == held_.end() || --found->second.holders > 0) return;
  erase({RecordKind::message, found->second.number, 0});
  held_.erase(found);
}

void State::adopt(const PublicationPtr& publication, std::uint64_t number) {
  Held& held = held_[publication.get()];
  held.number = number;
  ++held.holders;
}

StateBatch State::take() {
  StateBatch batch{++taken_, {}};
  batch.records.reserve(pending_.size());
  while (!pending_.empty()) {
    auto node = pending_.extract(pending_.begin());
    batch.records.push_back({std::move(node.key()), std::move(node.mapped().value)});
  }
  bytes_ = 0;
  asked_ = false;
  return batch;
}

}  // namespace doctor::mqtt
