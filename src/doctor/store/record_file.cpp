#include "doctor/store/record_file.hpp"

#include <array>
#include <cerrno>
#include <ctime>

#include "doctor/base/crypto.hpp"
#include "doctor/base/text.hpp"
#include "doctor/store/creation.hpp"
#include "doctor/store/file.hpp"
#include "doctor/store/format.hpp"
#include "doctor/store/pages.hpp"

namespace doctor::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view records_format_name = "doctor-records ";
constexpr std::uint32_t records_format_version = 1;
constexpr std::string_view store_key = "store";
constexpr std::string_view sum_key = "sum";
constexpr std::size_t record_key_max = 255;

using Checksum = std::uint64_t;

Checksum checksum_of(std::string_view key, std::string_view value) {
  // Of both, so that a value under another's key is found too.
  return hash64(value) * 0x9E3779B97F4A7C15u + hash64(key);
}

int put(MDB_txn* transaction, MDB_dbi table, std::string_view key, std::string_view value) {
  MDB_val key_value = value_of(key);
  MDB_val data = value_of(value);
  return mdb_put(transaction, table, &key_value, &data, 0);
}

int put_record(MDB_txn* transaction, MDB_dbi table, std::string_view key, Checksum checksum,
               std::string_view value) {
  MDB_val key_value = value_of(key);
  MDB_val data{sizeof checksum + value.size(), nullptr};
  const int code = mdb_put(transaction, table, &key_value, &data, MDB_RESERVE);
  if (code != 0) return code;
  char* const place = static_cast<char*>(data.mv_data);
  bytes_of(checksum).copy(place, sizeof checksum);
  value.copy(place + sizeof checksum, value.size());
  return 0;
}

/// The bytes of a key, whatever they are; nothing if LMDB has none, or cannot say.
std::optional<std::string_view> look_up(MDB_txn* transaction, MDB_dbi table, std::string_view key,
                                        int& code) {
  MDB_val key_value = value_of(key);
  MDB_val data{};
  code = mdb_get(transaction, table, &key_value, &data);
  if (code == 0) return bytes_of(data);
  if (code == MDB_NOTFOUND) code = 0;
  return std::nullopt;
}

/// A transaction, aborted unless it was committed.
class Transaction {
 public:
  explicit Transaction(MDB_txn* transaction) : transaction_(transaction) {}
  ~Transaction() {
    if (transaction_ != nullptr) mdb_txn_abort(transaction_);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  MDB_txn* get() const { return transaction_; }
  int commit() { return mdb_txn_commit(std::exchange(transaction_, nullptr)); }

 private:
  MDB_txn* transaction_;
};

std::string name_of_time(Timestamp now) {
  const std::time_t seconds = now.value / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc)};
}

/// Reads a whole file without LMDB, which trusts every byte.
class Reading {
 public:
  Reading(std::string_view file, std::string_view store_id, const RecordFile::Visit& visit)
      : file_(file), store_id_(store_id), visit_(visit) {}

  Result<void> run() {
    const auto meta = read_meta_page(file_);
    if (!meta) return meta.error();
    if (auto whole = check_length(file_, *meta); !whole) return whole;
    PageReader reader(file_, *meta);
    const auto tables = read_table_list(reader, *meta);
    if (!tables) return tables.error();
    const auto about = tables->find("meta");
    const auto records = tables->find("records");
    if (tables->size() != 2 || about == tables->end() || records == tables->end() ||
        about->second.flags != 0 || records->second.flags != 0) {
      return invalid("it does not have the tables that it should");
    }
    if (auto read = reader.read(about->second, note()); !read) return read;
    if (auto right = check_meta(); !right) return right;
    if (auto read = reader.read(records->second, record()); !read) return read;
    if (found_ != sum_) return invalid("its records are not those that were written last");
    return reader.read_free_pages();
  }

 private:
  PageReader::Visit note() {
    return [this](std::string_view key, std::string_view value) {
      if (key == format_key) format_ = value;
      if (key == store_key) store_ = value;
      if (key == sum_key && value.size() == sizeof sum_) sum_ = load<Checksum>(value);
      return Result<void>();
    };
  }

  Result<void> check_meta() const {
    const auto version =
        format_.starts_with(records_format_name)
            ? parse_unsigned(format_.substr(records_format_name.size()), UINT32_MAX)
            : std::nullopt;
    if (!version || *version == 0) return invalid("it is of another program");
    if (*version > records_format_version) {
      return invalid("it was written by a newer Doctor (format " + std::to_string(*version) +
                     ", this one reads up to " + std::to_string(records_format_version) + ")");
    }
    if (store_ != store_id_) return invalid("it belongs to another store");
    return {};
  }

  PageReader::Visit record() {
    return [this](std::string_view key, std::string_view stored) {
      if (stored.size() < sizeof(Checksum)) return Result<void>(invalid("a record is cut off"));
      if (key <= last_) return Result<void>(invalid("its records are not in order"));
      const std::string_view value = stored.substr(sizeof(Checksum));
      const auto checksum = load<Checksum>(stored);
      if (checksum != checksum_of(key, value)) {
        return Result<void>(invalid("the checksum of a record does not hold"));
      }
      last_ = key;
      found_ += checksum;
      visit_(key, value);
      return Result<void>();
    };
  }

  std::string_view file_;
  std::string_view store_id_;
  const RecordFile::Visit& visit_;
  std::string_view format_;
  std::string_view store_;
  std::string_view last_;
  Checksum sum_ = 0;
  Checksum found_ = 0;
};

}  // namespace

struct RecordFile::Opening {
  std::unique_ptr<File> file;
  MDB_dbi meta = 0;
  MDB_dbi records = 0;
  Checksum sum = 0;  // of all records

  int begin(unsigned flags, MDB_txn*& transaction) const {
    return mdb_txn_begin(file->environment(), nullptr, flags, &transaction);
  }
  int open_tables(unsigned flags);
  /// The tables, and what they say at first.
  int write_first(std::string_view store_id);
  /// @param next_sum  what `sum` is once the transaction has been committed
  int make(MDB_txn* transaction, const RecordChange& change, Checksum& next_sum) const;
};

int RecordFile::Opening::open_tables(unsigned flags) {
  MDB_txn* begun = nullptr;
  int code = begin(flags == 0 ? MDB_RDONLY : 0, begun);
  if (code != 0) return code;
  Transaction transaction(begun);
  code = mdb_dbi_open(begun, "meta", flags, &meta);
  if (code == 0) code = mdb_dbi_open(begun, "records", flags, &records);
  if (code == 0 && flags == 0) {
    const auto stored = look_up(begun, meta, sum_key, code);
    if (code == 0 && (!stored || stored->size() != sizeof sum)) code = MDB_CORRUPTED;
    if (code == 0) sum = load<Checksum>(*stored);
  }
  // Ends a read transaction too, and keeps the handles.
  return code == 0 ? transaction.commit() : code;
}

int RecordFile::Opening::write_first(std::string_view store_id) {
  if (const int code = open_tables(MDB_CREATE)) return code;
  MDB_txn* begun = nullptr;
  if (const int code = begin(0, begun)) return code;
  Transaction transaction(begun);
  const std::string format =
      std::string(records_format_name) + std::to_string(records_format_version);
  int code = put(begun, meta, format_key, format);
  if (code == 0) code = put(begun, meta, store_key, store_id);
  if (code == 0) code = put(begun, meta, sum_key, bytes_of(sum));
  return code == 0 ? transaction.commit() : code;
}

int RecordFile::Opening::make(MDB_txn* transaction, const RecordChange& change,
                              Checksum& next_sum) const {
  int code = 0;
  const auto stored = look_up(transaction, records, change.key, code);
  if (code != 0) return code;
  if (stored && stored->size() < sizeof(Checksum)) return MDB_CORRUPTED;
  if (stored) next_sum -= load<Checksum>(*stored);
  if (change.value) {
    const Checksum checksum = checksum_of(change.key, *change.value);
    next_sum += checksum;
    return put_record(transaction, records, change.key, checksum, *change.value);
  }
  MDB_val key = value_of(change.key);
  return stored ? mdb_del(transaction, records, &key, nullptr) : 0;
}

RecordFile::RecordFile(fs::path path, std::string store_id, std::uint64_t map_size)
    : path_(std::move(path)), store_id_(std::move(store_id)), map_size_(map_size) {}

RecordFile::~RecordFile() = default;

Result<void> RecordFile::read(const Visit& visit) const {
  std::error_code failed;
  const fs::file_status status = fs::status(path_, failed);
  if (status.type() == fs::file_type::not_found) return {};
  if (status.type() == fs::file_type::none) {
    return error(Errc::unavailable, "cannot read " + path_.string() + ": " + failed.message());
  }
  if (!fs::is_regular_file(status)) return invalid(path_.string() + " is not a file");
  const auto file = MappedFile::open(path_);
  if (!file) return file.error();
  auto done = Reading(file->bytes(), store_id_, visit).run();
  if (!done) return invalid(path_.string() + " cannot be used: " + done.error().detail);
  return done;
}

Result<void> RecordFile::write(std::span<const RecordChange> changes) {
  std::uint64_t bytes = 0;
  for (const RecordChange& change : changes) {
    if (change.key.empty() || change.key.size() > record_key_max) {
      return error(Errc::internal, "a record has an impossible key");
    }
    bytes += change.key.size() + change.value.value_or(std::string_view()).size();
  }
  if (auto opened = open(); !opened) return opened;

  MDB_txn* begun = nullptr;
  if (const int code = opening_->begin(0, begun)) return failure(code, 0);
  int code = 0;
  Checksum sum = opening_->sum;
  {
    Transaction transaction(begun);
    for (const RecordChange& change : changes) {
      code = opening_->make(begun, change, sum);
      if (code != 0) break;
    }
    if (code == 0) code = put(begun, opening_->meta, sum_key, bytes_of(sum));
    if (code == 0) code = transaction.commit();
  }
  if (code != 0) return failure(code, bytes);
  opening_->sum = sum;
  return {};
}

Result<fs::path> RecordFile::set_aside(Timestamp now) {
  opening_ = nullptr;
  const std::string name = path_.string() + ".damaged-" + name_of_time(now);
  fs::path aside = name;
  std::error_code failed;
  // Only the holder of the directory's lock makes such names.
  for (int i = 2; fs::exists(fs::symlink_status(aside, failed)); ++i) {
    aside = name + "-" + std::to_string(i);
  }
  fs::rename(path_, aside, failed);
  if (failed) {
    return error(Errc::unavailable, "cannot rename " + path_.string() + ": " + failed.message());
  }
  if (!sync_directory(path_.parent_path())) {
    return error(Errc::unavailable, "cannot rename " + path_.string() + ": " + words_of(errno));
  }
  return aside;
}

Result<void> RecordFile::open() {
  if (opening_ != nullptr) return {};
  std::error_code failed;
  if (!fs::exists(path_, failed)) {
    if (auto created = create(); !created) return created;
  }
  // What a killed process has written, or LMDB after a failure has written back, is seen from now
  // on, but may not be on the disk yet.
  if (!flush_file(path_)) {
    return error(Errc::unavailable, "cannot write " + path_.string() + ": " + words_of(errno));
  }
  auto file = File::open(path_, File::Access::exclusive, map_size_);
  if (!file) return file.error();
  auto opening = std::make_unique<Opening>();
  opening->file = std::move(*file);
  if (const int code = opening->open_tables(0)) {
    return error(Errc::unavailable, "cannot open " + path_.string() + ": " + mdb_strerror(code));
  }
  opening_ = std::move(opening);
  return {};
}

Result<void> RecordFile::create() {
  return create_file(path_, map_size_, [this](std::unique_ptr<File> file) -> Result<void> {
    Opening opening;
    opening.file = std::move(file);
    const int code = opening.write_first(store_id_);
    if (code == 0) return {};
    const bool full = opening.file->found_no_room(code, 0);
    return error(full ? Errc::out_of_space : Errc::unavailable, mdb_strerror(code));
  });
}

Error RecordFile::failure(int code, std::uint64_t bytes_written) {
  const bool given_up = opening_->file->given_up();
  const bool full = opening_->file->found_no_room(code, bytes_written);
  const bool beyond_lmdb = code == MDB_MAP_FULL || code == MDB_TXN_FULL || code == ENOMEM;
  if (given_up || (!full && !beyond_lmdb)) opening_ = nullptr;
  if (full) {
    return error(Errc::out_of_space, "the disk of " + path_.parent_path().string() + " is full");
  }
  if (code == MDB_MAP_FULL) {
    return error(Errc::out_of_space, path_.string() +
                                         " is as large as map_size allows: start Doctor with a "
                                         "larger one");
  }
  return error(beyond_lmdb ? Errc::out_of_space : Errc::unavailable,
               "cannot write " + path_.string() + ": " + mdb_strerror(code));
}

}  // namespace doctor::store
