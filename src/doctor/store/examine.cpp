#include "doctor/store/examine.hpp"

#include <algorithm>
#include <unistd.h>

#include "doctor/base/text.hpp"
#include "doctor/store/contents.hpp"
#include "doctor/store/format.hpp"
#include "doctor/store/pages.hpp"
#include "doctor/store/system.hpp"

namespace doctor::store {
namespace {

namespace fs = std::filesystem;

// What tells where everything is: read whole at every opening.
bool is_small(std::string_view table) {
  return table == "meta" || table == "names" || table == "collections";
}

Error damaged(const fs::path& path, const std::string& what) {
  return invalid(path.string() + " is not a store of Doctor, or is damaged: " + what +
                 "; move it away, or restore it from a backup");
}

// Keys and values that are integers are read without looking at their size.
PageReader::Visit size_check(std::string_view table) {
  std::size_t key_size = 0;  // any
  std::size_t value_size = 0;
  if (table == "collections") key_size = sizeof(std::uint32_t);
  if (table == "documents" || table == "log") key_size = sizeof(std::uint64_t);
  if (table == "names") value_size = sizeof(std::uint32_t);
  if (table == "ids") value_size = sizeof(std::uint64_t);
  return [key_size, value_size](std::string_view key, std::string_view value) {
    if ((key_size != 0 && key.size() != key_size) ||
        (value_size != 0 && value.size() != value_size)) {
      return Result<void>(invalid("an integer has an impossible size"));
    }
    return Result<void>();
  };
}

}  // namespace

Result<void> examine(const fs::path& path, bool read_only) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  const std::string_view bytes = file->bytes();
  const auto meta = read_meta_page(bytes);
  if (!meta) return damaged(path, meta.error().detail);
  if (auto whole = check_length(bytes, *meta); !whole) {
    return damaged(path, whole.error().detail);
  }
  PageReader reader(bytes, *meta);
  const auto tables = read_table_list(reader, *meta);
  if (!tables) return damaged(path, tables.error().detail);
  for (const auto& [name, tree] : *tables) {
    // LMDB goes by what the file says of a table, and by another bit of it at each transaction.
    if (tree.flags != Tables::flags_of(name).value_or(0)) {
      return damaged(path, "table " + name + " is not of the kind that it should be");
    }
    auto read = is_small(name) ? reader.read(tree, size_check(name))
                               : reader.read_edges(tree, size_check(name));
    if (!read) return damaged(path, read.error().detail);
  }
  const std::uint64_t length = (meta->last_page + 1) * meta->page_size;
  if (!read_only && bytes.size() < length &&
      ::truncate(path.c_str(), static_cast<off_t>(length)) != 0) {
    return error(Errc::unavailable, "cannot lengthen " + path.string() + ": " + words_of(errno));
  }
  return {};
}

Result<std::uint64_t> check_pages(const fs::path& path,
                                  const std::function<void(std::string_view)>& report) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  const auto meta = read_meta_page(file->bytes());
  if (!meta) return damaged(path, meta.error().detail);

  std::uint64_t faults = 0;
  const auto tell = [&](std::string_view what, const Error& fault) {
    ++faults;
    report(std::string(what) + ": " + fault.detail);
  };
  PageReader reader(file->bytes(), *meta);
  const auto tables = read_table_list(reader, *meta);
  if (!tables) {
    tell("the list of tables", tables.error());
    return faults;
  }
  for (const auto& [name, tree] : *tables) {
    if (auto read = reader.read(tree, size_check(name)); !read) tell("table " + name, read.error());
  }
  if (auto read = reader.read_free_pages(); !read) tell("the list of free pages", read.error());
  for (std::uint64_t page = PageReader::first_page; faults == 0 && page <= meta->last_page;
       ++page) {
    if (!reader.was_met(page)) {
      tell("page " + std::to_string(page), invalid("it is neither used nor free"));
    }
  }
  return faults;
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
