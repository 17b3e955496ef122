#pragma once

#include <optional>
#include <unordered_map>

#include "doctor/store/contents.hpp"
#include "doctor/store/environment.hpp"
#include "doctor/store/reference_index.hpp"
#include "doctor/store/store.hpp"

namespace doctor::store {

/// A write transaction of LMDB. What changes in every command, the records of the collections and
/// the state, is kept in memory and written once, at the end.
class LmdbTransaction final : public WriteTransaction {
 public:
  LmdbTransaction(Environment& environment, MDB_txn* transaction);
  ~LmdbTransaction() override;

  document::Revision revision() const override { return state_.revision; }
  std::optional<document::CollectionNumber> collection(std::string_view name) const override;
  std::vector<document::CollectionInfo> collections() const override;
  document::CollectionInfo info(document::CollectionNumber collection) const override;
  std::optional<document::Entry> find(document::CollectionNumber collection,
                                      std::string_view id) const override;
  std::unique_ptr<document::Walk> walk(document::CollectionNumber collection,
                                       document::DocumentNumber from) const override;
  std::optional<std::vector<document::Entry>> referrers(document::CollectionNumber collection,
                                                        const document::FieldName& field,
                                                        std::string_view target) const override;

  Result<document::CollectionNumber> make_collection(std::string_view name,
                                                     const Limits& limits) override;
  Result<void> create(document::CollectionNumber collection,
                      document::DocumentView document) override;
  Result<void> replace(document::CollectionNumber collection, document::DocumentNumber number,
                       document::DocumentView document) override;
  Result<void> remove(document::CollectionNumber collection,
                      document::DocumentNumber number) override;
  Result<void> append(document::Revision revision, Timestamp time,
                      std::span<const document::Change> changes) override;
  Result<void> trim_log(Timestamp oldest, std::uint64_t max_bytes,
                        std::size_t max_entries) override;
  std::uint64_t bytes_written() const override { return bytes_written_; }
  void use_reserve() override;
  Result<void> commit() override;

  /// Makes an index of a field, unless there is one. False if the collection has as many as it may,
  /// and something stands in each.
  Result<bool> make_index(document::CollectionNumber collection, std::string_view field);
  /// Builds at what is not complete until the deadline; whether all is complete.
  Result<bool> build_indexes(Clock::time_point deadline);

 private:
  struct Loaded {
    CollectionRecord record;
    std::vector<ReferenceIndex> indexes;
    bool changed = false;
  };

  const Tables& tables() const { return environment_.file().tables(); }
  Loaded& load_record(document::CollectionNumber collection) const;
  /// The record, noted as changed in the revision that is being made.
  CollectionRecord& touch(document::CollectionNumber collection);
  Result<void> put(MDB_dbi table, std::string_view key, std::string_view value, unsigned flags = 0);
  Result<void> erase(MDB_dbi table, std::string_view key);
  /// Takes a document out of the indexes that cover its number, and enters it as it is from now on.
  Result<void> reindex(document::CollectionNumber collection, document::DocumentNumber number,
                       std::optional<document::DocumentView> before,
                       std::optional<document::DocumentView> after);
  Result<void> build(ReferenceIndex& index, Clock::time_point deadline);
  Result<void> write_records();
  Result<void> outcome(int code);

  Environment& environment_;
  MDB_txn* transaction_;  // null once it is over
  Contents contents_;
  State state_;
  mutable std::unordered_map<std::uint32_t, Loaded> records_;
  std::uint64_t bytes_written_ = 0;
  bool may_use_reserve_ = false;
};

}  // namespace doctor::store
