#include "doctor/store/lmdb.hpp"

#include <cstdlib>

#include "doctor/base/log.hpp"

namespace doctor::store {
namespace {

// MDB_BAD_TXN: a write of this transaction has failed, and told its caller, before.
bool means_nothing(int code) {
  return code == MDB_NOTFOUND || code == MDB_BAD_TXN;
}

}  // namespace

Result<Tables> Tables::open(MDB_txn* transaction, unsigned flags) {
  Tables tables{};
  struct Table {
    const char* name;
    unsigned flags;
    MDB_dbi* handle;
  };
  const Table all[] = {
      {"meta", 0, &tables.meta},
      {"names", 0, &tables.names},
      {"collections", MDB_INTEGERKEY, &tables.collections},
      {"documents", MDB_INTEGERKEY, &tables.documents},
      {"ids", 0, &tables.ids},
      {"log", MDB_INTEGERKEY, &tables.log},
      {"indexes", 0, &tables.indexes},
      {"references", 0, &tables.references},
  };
  for (const Table& table : all) {
    if (const int code = mdb_dbi_open(transaction, table.name, table.flags | flags, table.handle)) {
      if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE) {
        return error(Errc::invalid, std::string("it has no table `") + table.name + "` of ours");
      }
      return error(Errc::internal, mdb_strerror(code));
    }
  }
  return tables;
}

Cursor::Cursor(MDB_txn* transaction, MDB_dbi table) {
  if (const int code = mdb_cursor_open(transaction, table, &cursor_)) stop_at_broken_read(code);
}

bool Cursor::move(std::string_view key, MDB_cursor_op operation) {
  key_ = value_of(key);
  const int code = mdb_cursor_get(cursor_, &key_, &value_, operation);
  if (code != MDB_SUCCESS && !means_nothing(code)) stop_at_broken_read(code);
  return code == MDB_SUCCESS;
}

std::optional<std::string_view> get(MDB_txn* transaction, MDB_dbi table, std::string_view key) {
  MDB_val sought = value_of(key);
  MDB_val found{};
  const int code = mdb_get(transaction, table, &sought, &found);
  if (means_nothing(code)) return std::nullopt;
  if (code != MDB_SUCCESS) stop_at_broken_read(code);
  return bytes_of(found);
}

void stop_at_broken_read(int code) {
  log::error("the store cannot be read any more; run `doctor check` on it",
             {{"cause", mdb_strerror(code)}});
  std::abort();
}

}  // namespace doctor::store
