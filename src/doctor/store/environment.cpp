#include "doctor/store/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "doctor/base/log.hpp"
#include "doctor/base/text.hpp"
#include "doctor/store/contents.hpp"
#include "doctor/store/creation.hpp"
#include "doctor/store/format.hpp"

namespace doctor::store {
namespace {

namespace fs = std::filesystem;

bool is_full(int code) {
  return code == ENOSPC || code == EDQUOT;
}

}  // namespace

Result<std::unique_ptr<Environment>> Environment::open(const Options& options) {
  std::unique_ptr<Environment> environment(new Environment(options));
  std::error_code failed;
  if (!options.read_only) fs::create_directories(options.directory, failed);
  if (failed) {
    return error(Errc::unavailable, "cannot make the data directory " + options.directory.string() +
                                        ": " + failed.message());
  }
  auto lock = DirectoryLock::take(options.directory, options.read_only);
  if (!lock) return lock.error();
  environment->lock_ = std::move(*lock);
  if (auto opened = environment->open_file(options); !opened) return opened.error();
  if (auto read = environment->read_meta(); !read) return read.error();
  if (!options.read_only) {
    environment->reserve_ = Reserve(options.directory / "reserve", options.reserve);
  }
  return environment;
}

Environment::~Environment() {
  for (MDB_txn* transaction : idle_) mdb_txn_abort(transaction);
}

Result<void> Environment::open_file(const Options& options) {
  const fs::path path = directory_ / "store.mdb";
  std::error_code failed;
  if (!fs::exists(path, failed)) {
    if (options.read_only) {
      return error(Errc::not_found, "there is no store in " + directory_.string());
    }
    if (auto created = create_store(path, options.map_size); !created) return created.error();
  }
  if (auto sound = examine(path); !sound) return sound.error();
  auto file = File::open(path, options.read_only ? File::Access::read : File::Access::write,
                         options.map_size);
  if (!file) return file.error();
  file_ = std::move(*file);
  if (auto tables = file_->open_tables(0); !tables) {
    Error foreign = tables.error();
    foreign.detail = path.string() + " is not a store of Doctor: " + foreign.detail;
    return foreign;
  }
  read_only_ = options.read_only;
  reserve_size_ = std::min(options.reserve, file_->pages_max() * file_->page_size() / 8);
  return {};
}

Result<void> Environment::read_meta() {
  const fs::path path = directory_ / "store.mdb";
  const Reading reading = begin_reading();
  auto format = check_format(path, reading.transaction, file_->tables());
  auto identity = format ? check_meta(path, reading.transaction, file_->tables())
                         : Result<Identity>(format.error());
  if (identity) {
    identity_ = *identity;
    revision_ = Contents(reading.transaction, file_->tables()).state().revision.value;
  }
  end_reading(reading);
  if (!identity) return identity.error();
  return {};
}

std::uint64_t Environment::size_on_disk() const {
  struct stat status{};
  if (::stat((directory_ / "store.mdb").c_str(), &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

Environment::Reading Environment::begin_reading() {
  MDB_txn* idle = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      idle = idle_.back();
      idle_.pop_back();
    }
  }
  auto transaction = file_->begin_reading(idle);
  if (!transaction) {
    log::error("a snapshot cannot be taken", {{"cause", transaction.error().detail}});
    std::abort();
  }
  return {file_.get(), *transaction};
}

void Environment::end_reading(Reading reading) {
  File::rest(reading.transaction);
  const std::lock_guard lock(mutex_);
  idle_.push_back(reading.transaction);
}

Result<MDB_txn*> Environment::begin_writing() {
  if (read_only_) {
    return error(Errc::unavailable,
                 "the store takes no more writes since the disk failed: look at the log, and start "
                 "Doctor again");
  }
  reserve_.top_up(Clock::now());
  MDB_txn* transaction = nullptr;
  if (const int code = mdb_txn_begin(file_->environment(), nullptr, 0, &transaction)) {
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
  // LMDB reports a write that was cut short as EIO, but what cuts a write short is a full disk.
  if (is_full(code) || (code == EIO && has_no_room(bytes_written))) {
    return error(Errc::out_of_space, "the disk of " + directory_.string() +
                                         " is full: remove documents, or make room on it");
  }
  read_only_ = true;
  log::error("writing to the store failed; it takes no more writes until Doctor is started again",
             {{"directory", directory_.string()}, {"cause", mdb_strerror(code)}});
  return error(Errc::unavailable, "writing to the store failed: no more writes are taken");
}

bool Environment::has_no_room(std::uint64_t bytes) const {
  mdb_filehandle_t file = -1;
  struct stat status{};
  if (mdb_env_get_fd(file_->environment(), &file) != 0 || ::fstat(file, &status) != 0) return false;
  const auto wanted = static_cast<off_t>(bytes + (1u << 20));
  if (::fallocate(file, FALLOC_FL_KEEP_SIZE, status.st_size, wanted) == 0) {
    // There is room after all: what was taken beyond the end goes back.
    [[maybe_unused]] const int cut = ::ftruncate(file, status.st_size);
    return false;
  }
  if (errno != EOPNOTSUPP) return is_full(errno);
  struct statvfs room{};
  return ::fstatvfs(file, &room) == 0 && static_cast<off_t>(room.f_bavail * room.f_frsize) < wanted;
}

}  // namespace doctor::store
