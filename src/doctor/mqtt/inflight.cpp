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
  while (place_of_identifier(id_of(next_))) ++next_;
  restore(next_, std::move(message), false);
  return slots_.back().sent;
}

void Inflight::restore(std::uint64_t number, Message message, bool received) {
  next_ = number + 1;
  bytes_ += memory_of(message);
  ++size_;
  slots_.push_back({{number, id_of(number), std::move(message), received}});
}

std::size_t Inflight::place_of(std::uint64_t number, std::size_t from) const {
  // Numbers differ: it stands no further on than by what the number is more.
  std::size_t low = from;
  std::size_t high = from + std::min(number - slots_[from].sent.number, slots_.size() - from);
  if (high < slots_.size() && slots_[high].sent.number == number) return high;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (slots_[middle].sent.number < number) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return high;
}

std::optional<std::size_t> Inflight::place_of_identifier(std::uint16_t packet_id) const {
  if (packet_id == 0) return std::nullopt;
  // The first number from here on that has this identifier.
  const auto next_with = [&](std::uint64_t number) {
    const std::uint64_t same_round = number - number % identifiers + (packet_id - 1u);
    return same_round < number ? same_round + identifiers : same_round;
  };
  for (std::size_t place = 0; place < slots_.size();) {
    const std::uint64_t number = next_with(slots_[place].sent.number);
    place = place_of(number, place);
    if (place == slots_.size() || slots_[place].sent.number != number) continue;
    if (slots_[place].taken) return place;
    ++place;
  }
  return std::nullopt;
}

const Inflight::Sent* Inflight::find(std::uint16_t packet_id) const {
  const auto place = place_of_identifier(packet_id);
  return place ? &slots_[*place].sent : nullptr;
}

void Inflight::release(Slot& slot) {
  bytes_ -= memory_of(slot.sent.message);
  slot.sent.message.publication.reset();
  slot.sent.message.identifiers.reset();
}

void Inflight::receive(std::uint16_t packet_id) {
  if (const auto place = place_of_identifier(packet_id)) {
    release(slots_[*place]);
    slots_[*place].sent.received = true;
  }
}

void Inflight::forget_records() {
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].sent.message.record = 0;
}

void Inflight::begin_connection() {
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].sent.takes_quota = false;
}

void Inflight::take_quota(std::uint16_t packet_id) {
  if (const auto place = place_of_identifier(packet_id)) slots_[*place].sent.takes_quota = true;
}

void Inflight::remove(std::uint16_t packet_id) {
  const auto place = place_of_identifier(packet_id);
  if (!place) return;
  release(slots_[*place]);
  slots_[*place].taken = false;
  --size_;
  while (!slots_.empty() && !slots_.front().taken) slots_.pop_front();
  // One message that is never acknowledged must not keep the places of all that come after it.
  constexpr std::size_t few = 64;
  if (slots_.size() > few && slots_.size() > 2 * size_) {
    slots_.erase_if([](const Slot& s) { return !s.taken; });
  }
}

}  // namespace doctor::mqtt
