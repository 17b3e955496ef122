#include "doctor/store/creation.hpp"

#include <array>
#include <cerrno>
#include <sys/stat.h>

#include "doctor/base/text.hpp"
#include "doctor/document/names.hpp"
#include "doctor/store/contents.hpp"
#include "doctor/store/file.hpp"
#include "doctor/store/format.hpp"
#include "doctor/store/pages.hpp"
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

Result<void> create_store(const fs::path& path, std::uint64_t map_size) {
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
    if (auto made = (*file)->open_tables(MDB_CREATE); !made) return fail(made.error());
    if (auto written = write_first_records(**file); !written) return fail(written.error());
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

Result<void> examine(const fs::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  const auto meta = read_meta_page(file->bytes());
  if (!meta) {
    return invalid(path.string() + " is not a store of Doctor, or is damaged: " +
                   meta.error().detail + "; move it away, or restore it from a backup");
  }
  return {};
}

Result<void> check_format(const fs::path& path, MDB_txn* transaction, const Tables& tables) {
  const auto format = get(transaction, tables.meta, format_key);
  const auto version = format && format->starts_with(format_name)
                           ? parse_unsigned(format->substr(format_name.size()), UINT32_MAX)
                           : std::nullopt;
  if (!version || *version == 0) {
    return invalid(path.string() + " is not a store of Doctor; move it away");
  }
  if (*version > format_version) {
    return invalid(path.string() + " was written by a newer Doctor (format " +
                   std::to_string(*version) + ", this one reads up to " +
                   std::to_string(format_version) + "): start that one");
  }
  return {};
}

Result<Identity> check_meta(const fs::path& path, MDB_txn* transaction, const Tables& tables) {
  const auto damaged = [&](std::string what) {
    return invalid(path.string() + " is damaged: " + std::move(what) +
                   "; run `doctor check`, or restore it from a backup");
  };
  Identity identity;
  const auto id = get(transaction, tables.meta, id_key_name);
  const auto cursor_key = get(transaction, tables.meta, cursor_key_name);
  if (!id || id->size() != 8 || !cursor_key || cursor_key->size() != identity.cursor_key.size()) {
    return damaged("it does not know its own id");
  }
  identity.id = *id;
  std::copy(cursor_key->begin(), cursor_key->end(), identity.cursor_key.begin());

  const auto stored_state = get(transaction, tables.meta, state_key);
  const auto state = stored_state ? State::decode(*stored_state) : std::nullopt;
  if (!state) return damaged("it does not know its revision");
  Cursor log(transaction, tables.log);
  const std::uint64_t logged = log.move(MDB_LAST) ? load<std::uint64_t>(log.key()) : 0;
  if (logged != state->revision.value) {
    return damaged("its log ends at revision " + std::to_string(logged) + ", not at " +
                   std::to_string(state->revision.value));
  }

  std::uint64_t documents = 0;
  const Contents contents(transaction, tables);
  for (const document::CollectionNumber number : contents.collections()) {
    const auto record = contents.record(number);
    if (!record) return damaged("a collection has no record");
    documents += record->count;
  }
  MDB_stat stored{};
  MDB_stat ids{};
  mdb_stat(transaction, tables.documents, &stored);
  mdb_stat(transaction, tables.ids, &ids);
  if (stored.ms_entries != documents || ids.ms_entries != documents) {
    return damaged("it counts " + std::to_string(documents) + " documents, but holds " +
                   std::to_string(stored.ms_entries) + " with " + std::to_string(ids.ms_entries) +
                   " ids");
  }
  return identity;
}

}  // namespace doctor::store
