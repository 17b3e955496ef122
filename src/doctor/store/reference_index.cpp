#include "doctor/store/reference_index.hpp"

#include <algorithm>

#include "doctor/json/value.hpp"
#include "doctor/store/format.hpp"

namespace doctor::store {
namespace {

using document::CollectionNumber;
using document::DocumentNumber;
using document::DocumentView;

constexpr std::size_t index_key_size = 4;
constexpr std::size_t target_size_max = 200;
constexpr std::size_t number_size = sizeof(std::uint64_t);

std::string index_key(CollectionNumber collection, std::uint8_t number) {
  std::string key;
  for (const unsigned shift : {16u, 8u, 0u}) key += static_cast<char>(collection.value >> shift);
  return key += static_cast<char>(number);
}

bool is_integer(std::string_view value) {
  if (value.front() == '-') value.remove_prefix(1);
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Calls `use` with the text of each id that a value holds. A text that cannot be an id is left
/// out: no document has it.
void each_reference(std::string_view value, const std::function<void(std::string_view)>& use) {
  if (value.front() == '[') {
    for (const std::string_view element : json::Elements(value)) {
      if (element.front() != '[') each_reference(element, use);
    }
  } else if (value.front() == '"') {
    const std::string_view content = json::content(value);
    if (content.find('\\') != std::string_view::npos) {
      const std::string text = json::unescape(content);
      if (document::is_document_id(text)) use(text);
    } else if (document::is_document_id(content)) {
      use(content);
    }
  } else if (is_integer(value)) {
    use(value == "-0" ? "0" : value);
  }
}

std::vector<ReferenceIndex> read_indexes(MDB_txn* transaction, const Tables& tables,
                                         std::string_view prefix) {
  std::vector<ReferenceIndex> indexes;
  Cursor cursor(transaction, tables.indexes);
  bool there = prefix.empty() ? cursor.move(MDB_FIRST) : cursor.move(prefix, MDB_SET_RANGE);
  for (; there && cursor.key().starts_with(prefix); there = cursor.move(MDB_NEXT)) {
    if (auto index = ReferenceIndex::decode(cursor.key(), cursor.value())) {
      indexes.push_back(std::move(*index));
    }
  }
  return indexes;
}

}  // namespace

std::string ReferenceIndex::key() const {
  return index_key(collection, number);
}

std::string ReferenceIndex::value() const {
  return std::string(bytes_of(covered.value)) + field.name();
}

std::optional<ReferenceIndex> ReferenceIndex::decode(std::string_view key, std::string_view value) {
  if (key.size() != index_key_size || value.size() <= number_size) return std::nullopt;
  std::uint32_t collection = 0;
  for (const char c : key.substr(0, 3))
    collection = collection << 8 | static_cast<unsigned char>(c);
  return ReferenceIndex{CollectionNumber{collection}, static_cast<std::uint8_t>(key[3]),
                        document::FieldName(value.substr(number_size)),
                        DocumentNumber{load<std::uint64_t>(value)}};
}

// A number has 40 bits, so that its 8 octets begin with three that are zero, which no id holds:
// the keys of one text come before those of any longer one.
void ReferenceIndex::each_key(DocumentNumber document_number, DocumentView document,
                              const std::function<void(std::string_view key)>& use) const {
  const auto field_value = document.find(field);
  if (!field_value) return;
  each_reference(*field_value, [&](std::string_view target) {
    std::string key = prefix(target);
    key.resize(key.size() - 3);
    for (unsigned shift = 64; shift > 0; shift -= 8) {
      key += static_cast<char>(document_number.value >> (shift - 8));
    }
    use(key);
  });
}

std::string ReferenceIndex::prefix(std::string_view target) const {
  std::string prefix = key();
  prefix += target.substr(0, target_size_max);
  return prefix.append(3, '\0');
}

DocumentNumber number_of_reference(std::string_view key) {
  std::uint64_t number = 0;
  for (const char c : key.substr(key.size() - number_size)) {
    number = number << 8 | static_cast<unsigned char>(c);
  }
  return DocumentNumber{number};
}

std::vector<ReferenceIndex> indexes_of(MDB_txn* transaction, const Tables& tables,
                                       CollectionNumber collection) {
  return read_indexes(transaction, tables, index_key(collection, 0).substr(0, 3));
}

std::vector<ReferenceIndex> all_indexes(MDB_txn* transaction, const Tables& tables) {
  return read_indexes(transaction, tables, {});
}

bool refers_to(std::string_view value, std::string_view id) {
  bool found = false;
  each_reference(value, [&](std::string_view target) { found = found || target == id; });
  return found;
}

}  // namespace doctor::store
