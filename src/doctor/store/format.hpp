#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/time.hpp"
#include "doctor/document/commit.hpp"
#include "doctor/document/view.hpp"

/// The keys and records of the store's tables; docs/formats/store.md gives every byte.
namespace doctor::store {

static_assert(std::endian::native == std::endian::little,
              "integers in the store are little-endian, and LMDB's are the machine's own");

inline constexpr std::uint32_t format_version = 1;
/// What a store says of its format: this text and the version in decimal.
inline constexpr std::string_view format_name = "doctor-store ";

/// The keys of table `meta`.
inline constexpr std::string_view format_key = "format";
inline constexpr std::string_view id_key_name = "id";
inline constexpr std::string_view cursor_key_name = "cursor-key";
inline constexpr std::string_view state_key = "state";

/// Sessions live in the first collection, which every store has.
inline constexpr document::CollectionNumber sessions_number{1};

/// A document's key is collection << 40 | number, as one native integer.
inline constexpr unsigned number_bits = 40;
inline constexpr std::uint32_t collection_number_max = (1u << 24) - 1;
inline constexpr std::uint64_t document_number_max = (1ull << number_bits) - 1;

constexpr std::uint64_t document_key(document::CollectionNumber collection,
                                     document::DocumentNumber number) {
  return std::uint64_t{collection.value} << number_bits | number.value;
}
constexpr document::CollectionNumber collection_of(std::uint64_t key) {
  return document::CollectionNumber{static_cast<std::uint32_t>(key >> number_bits)};
}
constexpr document::DocumentNumber number_of(std::uint64_t key) {
  return document::DocumentNumber{key & document_number_max};
}

/// The longest key that a table takes (LMDB's limit is 511).
inline constexpr std::size_t key_size_max = 400;

/// The key of table `ids`: the collection's number (3 bytes, big-endian), the id. It is built in
/// place, without an allocation; an id that is too long for any document gives no key.
class IdKey {
 public:
  static constexpr std::size_t prefix_size = 3;

  static std::optional<IdKey> make(document::CollectionNumber collection, std::string_view id);
  std::string_view bytes() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, key_size_max> bytes_;
  std::size_t size_ = 0;
};
/// The parts of such a key; nothing if it is too short to be one.
struct IdKeyParts {
  document::CollectionNumber collection;
  std::string_view id;
};
std::optional<IdKeyParts> split_id_key(std::string_view key);

/// What the store knows of itself: the record `state` of table `meta`.
struct State {
  document::Revision revision{0};  ///< of the last commit
  std::uint64_t log_bytes = 0;     ///< of all entries of the log together
  std::uint32_t next_collection = sessions_number.value;

  std::string encode() const;
  static std::optional<State> decode(std::string_view bytes);
};

/// A record of table `collections`.
struct CollectionRecord {
  document::DocumentNumber next{1};  ///< the number of the next new document
  std::uint64_t count = 0;           ///< documents
  std::uint64_t bytes = 0;           ///< of all stored documents together
  document::Revision revision{0};    ///< the newest that touched a document of it
  std::string name;

  std::string encode() const;
  static std::optional<CollectionRecord> decode(std::string_view bytes);
};

/// A change as the log keeps it: its collection by number.
struct LoggedChange {
  document::ChangeKind kind;
  document::CollectionNumber collection;
  std::string_view id;
  std::vector<std::string_view> fields;
};

/// Writes an entry of the log: construct it, `add` each change, take `bytes`.
class EntryWriter {
 public:
  EntryWriter(Timestamp time, std::size_t changes);
  void add(document::ChangeKind kind, document::CollectionNumber collection, std::string_view id,
           std::span<const std::string> fields);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads an entry of the log, which may come from a suspect disk: `next` gives nothing at the end
/// and where the bytes are wrong; `sound` then tells which.
class EntryReader {
 public:
  explicit EntryReader(std::string_view bytes);
  Timestamp time() const { return time_; }
  /// The number of changes that the entry says it has.
  std::uint64_t size() const { return size_; }
  std::optional<LoggedChange> next();
  /// Goes on at a place that `position` gave; the number of changes is then not looked at.
  void skip_to(std::uint64_t position);
  /// Behind the change that `next` gave last.
  std::uint64_t position() const { return bytes_.size() - rest_.size(); }
  /// Whether the last change has been given.
  bool at_end() const { return sound_ && rest_.empty(); }
  /// After the last change: whether all of the bytes were what they should be.
  bool sound() const { return sound_ && left_ == 0 && rest_.empty(); }

 private:
  std::optional<std::uint64_t> number();
  std::optional<std::string_view> text();

  std::string_view bytes_;
  std::string_view rest_;
  Timestamp time_;
  std::uint64_t size_ = 0;
  std::uint64_t left_ = 0;
  bool sound_ = true;
};

/// A native integer at any alignment: LMDB aligns its data to 2 bytes only.
template <class Integer>
Integer load(std::string_view bytes) {
  Integer value;
  std::char_traits<char>::copy(reinterpret_cast<char*>(&value), bytes.data(), sizeof value);
  return value;
}
template <class Integer>
std::string_view bytes_of(const Integer& integer) {
  return {reinterpret_cast<const char*>(&integer), sizeof integer};
}

}  // namespace doctor::store
