#include "doctor/store/index_wishes.hpp"

namespace doctor::store {
namespace {

// Readers choose the names of fields: neither list may grow with what they ask.
constexpr std::size_t noted_max = 64;
constexpr std::size_t refused_max = 4'096;

}  // namespace

void IndexWishes::note(document::CollectionNumber collection, std::string_view field) {
  const std::lock_guard lock(mutex_);
  Wish wish{collection, field};
  if (noted_.size() >= noted_max || refused_.contains(wish)) return;
  noted_.insert(std::move(wish));
  pending_ = true;
}

std::set<IndexWishes::Wish> IndexWishes::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(noted_, {});
}

void IndexWishes::refuse(Wish wish) {
  const std::lock_guard lock(mutex_);
  if (refused_.size() >= refused_max) refused_.clear();
  refused_.insert(std::move(wish));
}

void IndexWishes::set_complete(bool complete) {
  const std::lock_guard lock(mutex_);
  pending_ = !complete || !noted_.empty();
}

}  // namespace doctor::store
