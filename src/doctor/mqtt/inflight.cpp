#include "doctor/mqtt/inflight.hpp"

#include <algorithm>
#include <utility>

namespace doctor::mqtt {
namespace {

constexpr std::uint64_t identifiers = 65'535;

std::size_t memory_of(const Message& message) {
  return message.publication ? message.publication->memory() : 0;
}

}  // namespace

std::uint16_t Inflight::id_of(std::uint64_t number) {
  return static_cast<std::uint16_t>(number % identifiers + 1);
}

const Inflight::Sent& Inflight::add(Message message) {
  while (slot_of(id_of(next_)) != nullptr) ++next_;
  restore(next_, std::move(message), false);
  return slots_.back().sent;
}

void Inflight::restore(std::uint64_t number, Message message, bool received) {
  next_ = number + 1;
  bytes_ += memory_of(message);
  ++size_;
  slots_.push_back({{number, id_of(number), std::move(message), received}});
}

const Inflight::Slot* Inflight::slot_of(std::uint16_t packet_id) const {
  if (slots_.empty() || packet_id == 0) return nullptr;
  // The first number from here on that has this identifier.
  const auto from = [&](std::uint64_t number) {
    const std::uint64_t same_round = number - number % identifiers + (packet_id - 1u);
    return same_round < number ? same_round + identifiers : same_round;
  };
  for (auto slot = slots_.begin(); slot != slots_.end();) {
    const std::uint64_t number = from(slot->sent.number);
    slot = std::lower_bound(slot, slots_.end(), number, [](const Slot& s, std::uint64_t wanted) {
      return s.sent.number < wanted;
    });
    if (slot == slots_.end() || slot->sent.number != number) continue;
    if (slot->taken) return &*slot;
    ++slot;
  }
  return nullptr;
}

const Inflight::Sent* Inflight::find(std::uint16_t packet_id) const {
  const Slot* slot = slot_of(packet_id);
  return slot == nullptr ? nullptr : &slot->sent;
}

void Inflight::release(Slot& slot) {
  bytes_ -= memory_of(slot.sent.message);
  slot.sent.message.publication.reset();
  slot.sent.message.identifiers.reset();
}

void Inflight::receive(std::uint16_t packet_id) {
  if (Slot* slot = const_cast<Slot*>(slot_of(packet_id))) {
    release(*slot);
    slot->sent.received = true;
  }
}

void Inflight::remove(std::uint16_t packet_id) {
  Slot* slot = const_cast<Slot*>(slot_of(packet_id));
  if (slot == nullptr) return;
  release(*slot);
  slot->taken = false;
  --size_;
  while (!slots_.empty() && !slots_.front().taken) slots_.pop_front();
  // One message that is never acknowledged must not keep the places of all that come after it.
  constexpr std::size_t few = 64;
  if (slots_.size() > few && slots_.size() > 2 * size_) {
    std::erase_if(slots_, [](const Slot& s) { return !s.taken; });
  }
}

}  // namespace doctor::mqtt
