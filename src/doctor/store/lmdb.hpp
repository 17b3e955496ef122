#pragma once

#include <optional>
#include <string_view>

#include <lmdb.h>

#include "doctor/base/result.hpp"

/// LMDB in the words of this room.
namespace doctor::store {

inline MDB_val value_of(std::string_view bytes) {
  // LMDB does not write through the pointers that it is given to read.
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
inline std::string_view bytes_of(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

/// All tables of a store. Their handles belong to one opening of the file.
struct Tables {
  MDB_dbi meta;         ///< what the store is: name -> bytes
  MDB_dbi names;        ///< name of a collection -> its number
  MDB_dbi collections;  ///< number of a collection -> CollectionRecord
  MDB_dbi documents;    ///< document_key -> stored document
  MDB_dbi ids;          ///< IdKey -> number of the document
  MDB_dbi log;          ///< revision -> entry
  MDB_dbi indexes;      ///< collection and number of an index -> ReferenceIndex
  MDB_dbi references;   ///< index, id of the target, number of the document -> nothing

  /// Opens them, or with MDB_CREATE makes them.
  static Result<Tables> open(MDB_txn* transaction, unsigned flags);
  /// LMDB's flags of the table with this name, if it is one of ours.
  static std::optional<unsigned> flags_of(std::string_view name);
};

/// A cursor, closed with its owner. In a write transaction it must be gone before that ends.
class Cursor {
 public:
  Cursor(MDB_txn* transaction, MDB_dbi table);
  ~Cursor() { mdb_cursor_close(cursor_); }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  /// Moves, and says whether there is something; `key` is also what to look for.
  bool move(std::string_view key, MDB_cursor_op operation);
  bool move(MDB_cursor_op operation) { return move({}, operation); }
  std::string_view key() const { return bytes_of(key_); }
  std::string_view value() const { return bytes_of(value_); }

 private:
  MDB_cursor* cursor_ = nullptr;
  MDB_val key_{};
  MDB_val value_{};
};

/// The value of a key, or nothing; valid until the transaction ends or writes.
std::optional<std::string_view> get(MDB_txn* transaction, MDB_dbi table, std::string_view key);

/// A read that LMDB cannot do although the file was sound when it was opened: the disk or the
/// memory is broken. To answer "there is no such document" would be a lie that a connector acts
/// upon, so the process ends, saying why.
[[noreturn]] void stop_at_broken_read(int code);

}  // namespace doctor::store
