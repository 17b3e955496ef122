#include "doctor/rest/answer_cache.hpp"

#include <utility>

namespace doctor::rest {
namespace {

// Smaller answers are made as quickly as they are found.
constexpr std::size_t body_min = 16u << 10;
constexpr std::size_t key_max = 16u << 10;
// A generation holds at least this many answers, so that one cannot push out all others.
constexpr std::size_t answers_min = 4;

}  // namespace

bool AnswerCache::takes(std::string_view key, std::size_t body_size) const {
  return key.size() <= key_max && body_size >= body_min &&
         body_size <= bytes_max_ / 2 / answers_min;
}

std::shared_ptr<const KeptAnswer> AnswerCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = young_.find(key); found != young_.end()) return found->second;
  const auto found = old_.find(key);
  if (found == old_.end()) return nullptr;
  auto answer = found->second;
  insert(key, answer);
  return answer;
}

void AnswerCache::keep(std::string key, KeptAnswer answer) {
  auto kept = std::make_shared<const KeptAnswer>(std::move(answer));
  const std::lock_guard lock(mutex_);
  insert(std::move(key), std::move(kept));
}

void AnswerCache::insert(std::string key, std::shared_ptr<const KeptAnswer> answer) {
  const std::size_t size = key.size() + answer->headers.size() + answer->body->size();
  if (young_bytes_ + size > bytes_max_ / 2) {
    old_ = std::exchange(young_, {});
    young_bytes_ = 0;
  }
  if (young_.insert_or_assign(std::move(key), std::move(answer)).second) young_bytes_ += size;
}

}  // namespace doctor::rest
