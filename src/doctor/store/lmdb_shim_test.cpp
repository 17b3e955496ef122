#include "doctor/store/lmdb_shim.hpp"

#include <cerrno>
#include <dlfcn.h>
#include <mutex>

#include <lmdb.h>

namespace doctor::store {
namespace {

std::mutex mutex;  // guards what follows
bool armed = false;
LmdbCall which{};
int failure = 0;
unsigned calls_left = 0;
unsigned failures = 0;

int code_of(NoRoom cause) {
  switch (cause) {
    case NoRoom::in_transaction:
      return MDB_TXN_FULL;
    case NoRoom::in_map:
      return MDB_MAP_FULL;
    case NoRoom::in_memory:
      return ENOMEM;
  }
  return 0;
}

/// What the call fails with; 0: it is made.
int ask(LmdbCall call) {
  const std::lock_guard lock(mutex);
  if (!armed || call != which || calls_left-- != 0) return 0;
  armed = false;
  ++failures;
  return failure;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

LmdbShim::LmdbShim(LmdbCall call, NoRoom cause, unsigned after) {
  const std::lock_guard lock(mutex);
  armed = true;
  which = call;
  failure = code_of(cause);
  calls_left = after;
  failures = 0;
}

LmdbShim::~LmdbShim() {
  const std::lock_guard lock(mutex);
  armed = false;
}

unsigned LmdbShim::failed() {
  const std::lock_guard lock(mutex);
  return failures;
}

}  // namespace doctor::store

// The linker finds these before LMDB's.
extern "C" {

int mdb_txn_begin(MDB_env* environment, MDB_txn* parent, unsigned flags, MDB_txn** transaction) {
  using namespace doctor::store;
  static auto* const real = next<decltype(mdb_txn_begin)>("mdb_txn_begin");
  // Only the writer's.
  if (!(flags & MDB_RDONLY)) {
    if (const int code = ask(LmdbCall::begin)) return code;
  }
  return real(environment, parent, flags, transaction);
}

int mdb_put(MDB_txn* transaction, MDB_dbi table, MDB_val* key, MDB_val* value, unsigned flags) {
  using namespace doctor::store;
  static auto* const real = next<decltype(mdb_put)>("mdb_put");
  if (const int code = ask(LmdbCall::put)) return code;
  return real(transaction, table, key, value, flags);
}

int mdb_del(MDB_txn* transaction, MDB_dbi table, MDB_val* key, MDB_val* value) {
  using namespace doctor::store;
  static auto* const real = next<decltype(mdb_del)>("mdb_del");
  if (const int code = ask(LmdbCall::remove)) return code;
  return real(transaction, table, key, value);
}

int mdb_txn_commit(MDB_txn* transaction) {
  using namespace doctor::store;
  static auto* const real = next<decltype(mdb_txn_commit)>("mdb_txn_commit");
  if (const int code = ask(LmdbCall::commit)) {
    mdb_txn_abort(transaction);
    return code;
  }
  return real(transaction);
}
}
