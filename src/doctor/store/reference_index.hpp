#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/document/names.hpp"
#include "doctor/document/view.hpp"
#include "doctor/store/lmdb.hpp"

/// Who refers to whom, by an index of one field of one collection: from the text of an id to the
/// documents that hold it in that field, alone or in an array. An index is never more than a help:
/// what it finds is tested again by reading the document, and without it the collection is scanned.
namespace doctor::store {

/// At most so many for a collection; each costs every write to it.
inline constexpr std::size_t indexes_max = 16;

struct ReferenceIndex {
  document::CollectionNumber collection;
  std::uint8_t number;  ///< of its kind in its collection
  document::FieldName field;
  /// Documents with smaller numbers are in it: it is built in steps, from the first on.
  document::DocumentNumber covered;

  static constexpr document::DocumentNumber everything{~std::uint64_t{0}};
  bool complete() const { return covered == everything; }

  /// The key and the value of its record in table `indexes`.
  std::string key() const;
  std::string value() const;
  static std::optional<ReferenceIndex> decode(std::string_view key, std::string_view value);

  /// The keys of table `references` under which a document stands in it. May repeat one.
  void each_key(document::DocumentNumber number, document::DocumentView document,
                const std::function<void(std::string_view key)>& use) const;
  /// What the keys of all documents that hold `target` begin with, and no others (but for texts
  /// that begin with the same 200 bytes).
  std::string prefix(std::string_view target) const;
  /// What all its keys begin with.
  std::string prefix() const { return key(); }
};

/// The document's number that ends a key of table `references`.
document::DocumentNumber number_of_reference(std::string_view key);

/// The indexes of a collection.
std::vector<ReferenceIndex> indexes_of(MDB_txn* transaction, const Tables& tables,
                                       document::CollectionNumber collection);
/// All indexes.
std::vector<ReferenceIndex> all_indexes(MDB_txn* transaction, const Tables& tables);

/// Whether the value of a field refers to the document with this id: it is a string or an integer
/// of the same text, or an array that contains one.
bool refers_to(std::string_view value, std::string_view id);

}  // namespace doctor::store
