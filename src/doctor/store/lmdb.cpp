#include "doctor/store/lmdb.hpp"

#include <cstdlib>

#include "doctor/base/log.hpp"

namespace doctor::store {
namespace {

// MDB_BAD_TXN: a write of this transaction has failed, and told its caller, before.
bool means_nothing(int code) {
  return code == MDB_NOTFOUND || code == MDB_BAD_TXN;
}

struct Table {
  const char* name;
  unsigned flags;
  MDB_dbi Tables::* handle;
};
constexpr Table all_tables[] = {
    {"meta", 0, &Tables::meta},
    {"names", 0, &Tables::names},
    {"collections", MDB_INTEGERKEY, &Tables::collections},
    {"documents", MDB_INTEGERKEY, &Tables::documents},
    {"ids", 0, &Tables::ids},
    {"log", MDB_INTEGERKEY, &Tables::log},
    {"indexes", 0, &Tables::indexes},
    {"references", 0, &Tables::references},
};

}  // namespace

std::optional<unsigned> Tables::flags_of(std::string_view name) {
  for (const Table& table : all_tables) {
    if (table.name == name) return table.flags;
  }
  return std::nullopt;
}

Result<Tables> Tables::open(MDB_txn* transaction, unsigned flags) {
  Tables tables{};
  for (const Table& table : all_tables) {
    if (const int code =
            mdb_dbi_open(transaction, table.name, table.flags | flags, &(tables.*table.handle))) {
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
