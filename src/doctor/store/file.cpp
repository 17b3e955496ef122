#include "doctor/store/file.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "doctor/store/system.hpp"

namespace doctor::store {
namespace {

// Snapshots at a time: some for each thread that serves, and the exports. A slot is 64 bytes.
constexpr unsigned readers_max = 4'000;
constexpr MDB_dbi tables_max = 16;

// LMDB maps its lock file and writes to it through the map. On a full disk a write to a part that
// has no block yet would be a SIGBUS, so it gets all of its blocks now. It must not be opened
// beside LMDB later: closing any descriptor of a file drops the process's locks on it.
bool allocate_lock_file(const std::filesystem::path& path) {
  constexpr off_t size = 64 * (readers_max + 1);
  const Descriptor file = open_file(path, O_RDWR | O_CREAT);
  return file && ::posix_fallocate(file.number(), 0, size) == 0;
}

unsigned flags_of(File::Access access) {
  // Readahead stays on (no MDB_NORDAHEAD): a store is meant to fit in memory, documents of one
  // collection lie together, and a cold walk without it waits for the disk once for every page.
  const unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
  switch (access) {
    case File::Access::write:
      return flags;
    case File::Access::read:
      return flags | MDB_RDONLY | MDB_NOLOCK;
    case File::Access::exclusive:
      return flags | MDB_NOLOCK;
  }
  return flags;
}

bool is_full(int code) {
  return code == ENOSPC || code == EDQUOT;
}

/// Whether a file cannot grow by so much.
bool has_no_room(int file, std::uint64_t bytes) {
  struct stat status{};
  if (::fstat(file, &status) != 0) return false;
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

}  // namespace

Result<std::unique_ptr<File>> File::open(const std::filesystem::path& path, Access access,
                                         std::uint64_t map_size) {
  const auto fail = [&](int code) {
    return error(is_full(code) ? Errc::out_of_space : Errc::unavailable,
                 "cannot open " + path.string() + ": " + mdb_strerror(code));
  };
  if (access == Access::write && !allocate_lock_file(path.string() + "-lock")) {
    return fail(errno);
  }
  MDB_env* environment = nullptr;
  if (const int code = mdb_env_create(&environment)) return fail(code);
  std::unique_ptr<File> file(new File(environment));
  int code = mdb_env_set_maxdbs(environment, tables_max);
  if (code == 0) code = mdb_env_set_maxreaders(environment, readers_max);
  if (code == 0) code = mdb_env_set_mapsize(environment, map_size);
  if (code == 0) code = mdb_env_open(environment, path.c_str(), flags_of(access), 0600);
  if (code != 0) return fail(code);

  MDB_stat stat{};
  MDB_envinfo info{};
  mdb_env_stat(environment, &stat);
  mdb_env_info(environment, &info);
  file->page_size_ = stat.ms_psize;
  file->pages_max_ = info.me_mapsize / stat.ms_psize;
  return file;
}

File::~File() {
  mdb_env_close(environment_);
}

bool File::given_up() const {
  MDB_txn* transaction = nullptr;
  const int code = mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction);
  if (code == 0) mdb_txn_abort(transaction);
  return code == MDB_PANIC;
}

bool File::found_no_room(int code, std::uint64_t bytes) const {
  if (is_full(code)) return true;
  // LMDB reports a write that was cut short as EIO, but what cuts a write short is a full disk.
  mdb_filehandle_t file = -1;
  return code == EIO && mdb_env_get_fd(environment_, &file) == 0 && has_no_room(file, bytes);
}

Result<void> File::open_tables(unsigned flags) {
  MDB_txn* transaction = nullptr;
  const unsigned read_only = (flags & MDB_CREATE) ? 0 : MDB_RDONLY;
  if (const int code = mdb_txn_begin(environment_, nullptr, read_only, &transaction)) {
    return error(Errc::unavailable, mdb_strerror(code));
  }
  auto tables = Tables::open(transaction, flags);
  if (!tables) {
    mdb_txn_abort(transaction);
    return tables.error();
  }
  // Ends a read transaction too, and keeps the handles.
  if (const int code = mdb_txn_commit(transaction)) {
    return error(Errc::unavailable, mdb_strerror(code));
  }
  tables_ = *tables;
  return {};
}

Result<MDB_txn*> File::begin_reading(MDB_txn* idle) const {
  MDB_txn* transaction = idle;
  int code = idle != nullptr ? mdb_txn_renew(idle)
                             : mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction);
  while (code == 0) {
    const std::size_t number = mdb_txn_id(transaction);
    // After the roots were copied, before the announcement is read.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (committing_.load(std::memory_order_relaxed) < number + 2) return transaction;
    mdb_txn_reset(transaction);
    code = mdb_txn_renew(transaction);
  }
  if (transaction != nullptr) mdb_txn_abort(transaction);
  return error(Errc::unavailable, mdb_strerror(code));
}

namespace {

std::uint64_t pages_of(MDB_txn* transaction, MDB_dbi table) {
  MDB_stat stat{};
  if (mdb_stat(transaction, table, &stat) != 0) return 0;
  return stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
}

}  // namespace

std::uint64_t File::pages_used(MDB_txn* transaction) const {
  // LMDB's own two tables, of free pages and of tables, have the handles 0 and 1.
  const Tables& t = tables_;
  const MDB_dbi all[] = {0,           1,     t.meta, t.names,   t.collections,
                         t.documents, t.ids, t.log,  t.indexes, t.references};
  std::uint64_t pages = 2;  // the meta pages
  for (const MDB_dbi table : all) pages += pages_of(transaction, table);
  return pages;
}

// The entry of the log names each id, which takes less than the table of ids does. Documents go in
// their order, so that few of their pages are copied at a time; their ids and references lie
// anywhere, and about a third of those pages is copied before any is empty.
std::uint64_t File::pages_to_remove_all(MDB_txn* transaction) const {
  return pages_of(transaction, tables_.ids) + pages_of(transaction, tables_.references);
}

}  // namespace doctor::store
