#include "doctor/store/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "doctor/base/log.hpp"
#include "doctor/base/text.hpp"
#include "doctor/store/contents.hpp"
#include "doctor/store/creation.hpp"
#include "doctor/store/examine.hpp"
#include "doctor/store/format.hpp"
#include "doctor/store/reference_index.hpp"

namespace doctor::store {
namespace {

namespace fs = std::filesystem;

// How long a write waits for snapshots to end, when the file must be opened again.
constexpr std::chrono::milliseconds reopening_wait{100};

[[noreturn]] void stop_without_reading(const Error& cause) {
  log::error("the store can no longer be read", {{"cause", cause.detail}});
  std::abort();
}

}  // namespace

Environment::Opening::~Opening() {
  for (const auto& reader : idle) mdb_txn_abort(reader->transaction);
}

Result<std::unique_ptr<Environment>> Environment::open(const Options& options) {
  std::unique_ptr<Environment> environment(new Environment(options));
  const fs::path& path = environment->path_;
  std::error_code failed;
  if (!options.read_only) fs::create_directories(options.directory, failed);
  if (failed) {
    return error(Errc::unavailable, "cannot make the data directory " + options.directory.string() +
                                        ": " + failed.message());
  }
  auto lock = DirectoryLock::take(options.directory, options.read_only);
  if (!lock) return lock.error();
  environment->lock_ = std::move(*lock);

  if (!fs::exists(path, failed)) {
    if (options.read_only) {
      return error(Errc::not_found, "there is no store in " + options.directory.string());
    }
    if (auto created = create_store(path, options.map_size); !created) return created.error();
  }
  if (auto sound = examine(path, options.read_only); !sound) return sound.error();
  // What a killed process has written is seen from now on, but may not be on the disk yet.
  if (!options.read_only && !flush_file(path)) {
    return error(Errc::unavailable, "cannot write " + path.string() + ": " + words_of(errno));
  }
  auto opening =
      environment->open_file(options.read_only ? File::Access::read : File::Access::write);
  if (!opening) return opening.error();
  environment->current_ = std::move(*opening);
  environment->takes_writes_ = !options.read_only;
  const auto reserve = environment->read_meta();
  if (!reserve) return reserve.error();
  if (!options.read_only) {
    environment->reserve_ = Reserve(options.directory / "reserve", *reserve);
  }
  return environment;
}

Environment::~Environment() = default;

Result<std::unique_ptr<Environment::Opening>> Environment::open_file(File::Access access) const {
  auto opening = std::make_unique<Opening>();
  auto file = File::open(path_, access, map_size_);
  if (!file) return file.error();
  opening->file = std::move(*file);
  if (auto tables = opening->file->open_tables(0); !tables) {
    Error foreign = tables.error();
    foreign.detail = path_.string() + " is not a store of Doctor: " + foreign.detail;
    return foreign;
  }
  return opening;
}

Result<std::uint64_t> Environment::read_meta() {
  Reading reading = begin_reading();
  const std::uint64_t reserve = reserve_for(reading.transaction());
  auto format = check_format(path_, reading.transaction(), reading.tables());
  auto identity = format ? check_meta(path_, reading.transaction(), reading.tables())
                         : Result<Identity>(format.error());
  if (identity) {
    identity_ = *identity;
    revision_ = reading.contents().state().revision.value;
    const auto indexes = all_indexes(reading.transaction(), reading.tables());
    wishes_.set_complete(std::all_of(indexes.begin(), indexes.end(),
                                     [](const ReferenceIndex& index) { return index.complete(); }));
  }
  end_reading(std::move(reading));
  if (!identity) return identity.error();
  return reserve;
}

std::uint64_t Environment::reserved_pages() const {
  const File& file = *current_->file;
  return std::min(reserve_.wanted() / file.page_size(), file.pages_max() / 8);
}

std::uint64_t Environment::reserve_for(MDB_txn* transaction) const {
  const File& file = *current_->file;
  const std::uint64_t needed = file.pages_to_remove_all(transaction) * file.page_size();
  // In whole units, so that it does not change with each document.
  if (needed <= reserve_unit_ || reserve_unit_ == 0) return reserve_unit_;
  return (needed + reserve_unit_ - 1) / reserve_unit_ * reserve_unit_;
}

std::uint64_t Environment::size_on_disk() const {
  return doctor::store::size_on_disk(path_);
}

Environment::Reading Environment::begin_reading() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !reopening_; });
    Opening* const opening = current_.get();
    const std::uint64_t replacements = replacements_;
    std::unique_ptr<Reader> reader;
    if (!opening->idle.empty()) {
      reader = std::move(opening->idle.back());
      opening->idle.pop_back();
    }
    ++opening->in_use;
    lock.unlock();
    if (reader == nullptr) reader = std::make_unique<Reader>();
    const auto transaction = opening->file->begin_reading(reader->transaction);
    if (transaction) {
      reader->transaction = *transaction;
      return {opening, std::move(reader)};
    }
    reader.reset();
    lock.lock();
    if (!opening->file->given_up()) stop_without_reading(transaction.error());
    if (--opening->in_use == 0 && reopening_) changed_.notify_all();
    // The writer, which has seen it too, replaces this opening, or has done so by now.
    changed_.wait(lock, [&] { return replacements_ != replacements; });
  }
}

void Environment::end_reading(Reading reading) {
  File::rest(reading.transaction());
  const std::lock_guard lock(mutex_);
  reading.opening->idle.push_back(std::move(reading.reader));
  if (--reading.opening->in_use == 0 && reopening_) changed_.notify_all();
}

Result<MDB_txn*> Environment::begin_writing() {
  if (!takes_writes()) {
    return error(Errc::unavailable,
                 "the store takes no more writes since writing to the disk failed: see the log, "
                 "and start Doctor again");
  }
  if (given_up_ != nullptr) {
    if (auto reopened = reopen_for_writing(); !reopened) return reopened.error();
  }
  reserve_.top_up(Clock::now());
  MDB_txn* transaction = nullptr;
  if (const int code = mdb_txn_begin(file().environment(), nullptr, 0, &transaction)) {
    return failure(code, 0);
  }
  return transaction;
}

Error Environment::failure(int code, std::uint64_t bytes_written) {
  if (code == MDB_MAP_FULL) {
    return error(Errc::out_of_space,
                 "the store is as large as its map_size allows: remove documents, or start Doctor "
                 "with a larger one");
  }
  // Neither of these says anything of the disk: what was written of the transaction, if anything,
  // belongs to no tree.
  if (code == MDB_TXN_FULL) {
    return error(Errc::out_of_space,
                 "the write changes more than one transaction of the store can hold: send it in "
                 "smaller pieces");
  }
  if (code == ENOMEM && !file().given_up()) {
    return error(Errc::out_of_space,
                 "there is not enough memory for this write: send it again "
                 "later, or in smaller pieces");
  }
  const bool full = file().found_no_room(code, bytes_written);
  if (!full) {
    takes_writes_ = false;
    log::error("writing to the store failed; it takes no more writes until Doctor is started again",
               {{"path", path_.string()}, {"cause", mdb_strerror(code)}});
  }
  replace_if_given_up();
  if (!full)
    return error(Errc::unavailable, "writing to the store failed: it takes no more writes");
  return error(Errc::out_of_space, "the disk of " + path_.parent_path().string() +
                                       " is full: remove documents, or make room on it");
}

void Environment::replace_if_given_up() {
  if (!file().given_up()) return;
  auto opening = open_file(File::Access::read);
  if (!opening) stop_without_reading(opening.error());
  const document::Revision durable = revision();
  {
    const std::lock_guard lock(mutex_);
    given_up_ = std::move(current_);
    current_ = std::move(*opening);
    ++replacements_;
  }
  changed_.notify_all();
  // LMDB has taken back what it wrote of the commit that failed. Had it not, this would show it.
  Reading reading = begin_reading();
  const auto found = reading.contents().state().revision;
  end_reading(std::move(reading));
  if (found != durable) {
    stop_without_reading(error(Errc::internal, "a commit that is not durable cannot be undone"));
  }
}

Result<void> Environment::reopen_for_writing() {
  std::unique_lock lock(mutex_);
  reopening_ = true;
  const bool unused = changed_.wait_for(
      lock, reopening_wait, [this] { return current_->in_use == 0 && given_up_->in_use == 0; });
  Result<void> done;
  if (unused) {
    given_up_ = nullptr;
    current_ = nullptr;
    auto opening = open_file(File::Access::write);
    if (!opening) {
      done = opening.error();
      opening = open_file(File::Access::read);
      given_up_ = std::make_unique<Opening>();
    }
    if (!opening) stop_without_reading(opening.error());
    current_ = std::move(*opening);
    ++replacements_;
  } else {
    done = error(Errc::out_of_space, "the disk was full; the store will soon be opened again");
  }
  reopening_ = false;
  changed_.notify_all();
  return done;
}

}  // namespace doctor::store
