#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "doctor/document/view.hpp"
#include "doctor/store/format.hpp"
#include "doctor/store/lmdb.hpp"

namespace doctor::store {

/// What one transaction sees: the reading that snapshots and write transactions have in common.
/// Copies nothing: what it gives is valid until the transaction ends or writes.
class Contents {
 public:
  Contents(MDB_txn* transaction, const Tables& tables)
      : transaction_(transaction), tables_(&tables) {}

  State state() const;
  std::optional<document::CollectionNumber> collection(std::string_view name) const;
  std::optional<CollectionRecord> record(document::CollectionNumber collection) const;
  /// The numbers of all collections, by name; sessions among them.
  std::vector<document::CollectionNumber> collections() const;

  std::optional<document::DocumentNumber> number(document::CollectionNumber collection,
                                                 std::string_view id) const;
  std::optional<document::DocumentView> document(document::CollectionNumber collection,
                                                 document::DocumentNumber number) const;
  std::optional<document::Entry> find(document::CollectionNumber collection,
                                      std::string_view id) const;
  std::unique_ptr<document::Walk> walk(document::CollectionNumber collection,
                                       document::DocumentNumber from) const;

 private:
  MDB_txn* transaction_;
  const Tables* tables_;
};

}  // namespace doctor::store
