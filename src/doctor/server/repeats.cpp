#include "doctor/server/repeats.hpp"

#include "doctor/base/crypto.hpp"

namespace doctor::server {

const Repeat* Repeats::find(std::string_view head, document::Revision revision) const {
  if (head.size() > head_max) return nullptr;
  const std::uint64_t hash = hash64(head);
  const Place& place = places_[hash % places];
  const bool same =
      place.answer.when.revision == revision && place.hash == hash && place.head == head;
  return same ? &place.answer : nullptr;
}

void Repeats::keep(std::string_view head, const rest::Response& response, std::string_view text,
                   const std::shared_ptr<const std::string>& large) {
  if (head.size() > head_max || text.size() > text_max) return;
  const std::uint64_t hash = hash64(head);
  Place& place = places_[hash % places];
  place.hash = hash;
  place.head = head;
  place.answer.when = *response.repeatable;
  place.answer.text = text;  // in the memory of the one before
  place.answer.is_large = large != nullptr;
  place.answer.large = large;
  place.answer.status = response.status;
  place.answer.route = response.route;
}

void Repeats::clear() {
  places_ = {};
}

}  // namespace doctor::server
