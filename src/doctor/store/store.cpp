#include "doctor/store/store.hpp"

#include "doctor/store/environment.hpp"
#include "doctor/store/snapshot.hpp"
#include "doctor/store/write_transaction.hpp"

namespace doctor::store {

Store::Store(std::unique_ptr<Environment> environment) : environment_(std::move(environment)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const Options& options) {
  auto environment = Environment::open(options);
  if (!environment) return environment.error();
  return std::unique_ptr<Store>(new Store(std::move(*environment)));
}

const Identity& Store::identity() const {
  return environment_->identity();
}

document::Revision Store::revision() const {
  return environment_->revision();
}

std::unique_ptr<Snapshot> Store::snapshot() const {
  return std::make_unique<PooledSnapshot>(*environment_);
}

Result<std::unique_ptr<WriteTransaction>> Store::begin() {
  auto transaction = environment_->begin_writing();
  if (!transaction) return transaction.error();
  return std::unique_ptr<WriteTransaction>(
      std::make_unique<LmdbTransaction>(*environment_, *transaction));
}

bool Store::wants_indexing() const {
  return environment_->wishes().pending();
}

Result<void> Store::index_for(std::chrono::microseconds time) {
  const Clock::time_point deadline = Clock::now() + time;
  IndexWishes& wishes = environment_->wishes();
  auto begun = environment_->begin_writing();
  if (!begun) return begun.error();
  LmdbTransaction transaction(*environment_, *begun);
  for (const IndexWishes::Wish& wish : wishes.take()) {
    const auto made = transaction.make_index(wish.first, wish.second);
    if (!made) return made.error();
    if (!*made) wishes.refuse(wish);
  }
  const auto complete = transaction.build_indexes(deadline);
  if (!complete) return complete.error();
  if (transaction.bytes_written() > 0) {
    if (auto done = transaction.commit(); !done) return done;
  }
  wishes.set_complete(*complete);
  return {};
}

bool Store::takes_writes() const {
  return environment_->takes_writes();
}

std::uint64_t Store::size_on_disk() const {
  return environment_->size_on_disk();
}

}  // namespace doctor::store
