#include "doctor/store/creation.hpp"

#include <array>
#include <cerrno>
#include <sys/stat.h>

#include "doctor/base/crypto.hpp"
#include "doctor/document/names.hpp"
#include "doctor/store/format.hpp"
#include "doctor/store/system.hpp"

namespace doctor::store {
namespace {

namespace fs = std::filesystem;

int put(MDB_txn* transaction, MDB_dbi table, std::string_view key, std::string_view value) {
  MDB_val key_value = value_of(key);
  MDB_val data = value_of(value);
  return mdb_put(transaction, table, &key_value, &data, 0);
}

Result<void> write_first_records(const File& file) {
  MDB_txn* transaction = nullptr;
  int code = mdb_txn_begin(file.environment(), nullptr, 0, &transaction);
  if (code != 0) return error(Errc::unavailable, mdb_strerror(code));

  const Tables& tables = file.tables();
  State state;
  state.next_collection = sessions_number.value + 1;
  CollectionRecord sessions;
  sessions.name = document::sessions_collection;
  code = put(transaction, tables.meta, format_key,
             std::string(format_name) + std::to_string(format_version));
  if (code == 0) code = put(transaction, tables.meta, id_key_name, hex(random_bytes(4)));
  if (code == 0) code = put(transaction, tables.meta, cursor_key_name, random_bytes(sizeof(Key)));
  if (code == 0) code = put(transaction, tables.meta, state_key, state.encode());
  if (code == 0) {
    code = put(transaction, tables.names, sessions.name, bytes_of(sessions_number.value));
  }
  if (code == 0) {
    code = put(transaction, tables.collections, bytes_of(sessions_number.value), sessions.encode());
  }
  if (code != 0) {
    mdb_txn_abort(transaction);
  } else {
    code = mdb_txn_commit(transaction);
  }
  if (code == ENOSPC || code == EDQUOT) return error(Errc::out_of_space, mdb_strerror(code));
  if (code != 0) return error(Errc::unavailable, mdb_strerror(code));
  return {};
}

}  // namespace

Result<void> create_file(const fs::path& path, std::uint64_t map_size,
                         const std::function<Result<void>(std::unique_ptr<File>)>& fill) {
  const auto fail = [&](Error cause) {
    cause.detail = "cannot make " + path.string() + ": " + cause.detail;
    return cause;
  };
  const fs::path draft = path.string() + ".new";
  std::error_code failed;
  fs::remove(draft, failed);
  {
    auto file = File::open(draft, File::Access::exclusive, map_size);
    if (!file) return file.error();
    if (auto filled = fill(std::move(*file)); !filled) return fail(filled.error());
  }
  const fs::path directory = path.parent_path();
  fs::rename(draft, path, failed);
  if (failed) return fail(error(Errc::unavailable, failed.message()));
  // The directory may be new itself.
  if (!sync_directory(directory) || !sync_directory(fs::absolute(directory).parent_path())) {
    return fail(error(Errc::unavailable, words_of(errno)));
  }
  return {};
}

Result<void> create_store(const fs::path& path, std::uint64_t map_size) {
  return create_file(path, map_size, [](std::unique_ptr<File> file) {
    auto made = file->open_tables(MDB_CREATE);
    return made ? write_first_records(*file) : made;
  });
}

}  // namespace doctor::store
