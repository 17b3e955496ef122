#pragma once

#include "doctor/store/contents.hpp"
#include "doctor/store/environment.hpp"
#include "doctor/store/format.hpp"
#include "doctor/store/reference_index.hpp"
#include "doctor/store/store.hpp"

namespace doctor::store {

/// A snapshot over a read transaction of the pool.
class PooledSnapshot final : public Snapshot {
 public:
  explicit PooledSnapshot(Environment& environment);
  ~PooledSnapshot() override;

  document::Revision revision() const override { return revision_; }
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
  Result<std::vector<LogEntry>> log(document::Revision after, std::size_t max_bytes) const override;
  Result<document::CommitPart> log_part(document::Revision revision, std::uint64_t from,
                                        std::size_t max_changes) const override;

 private:
  Recollection& recollection() const { return reading_.reader->recollection; }
  void take_changes(EntryReader& reader, std::size_t count,
                    std::vector<document::Change>& changes) const;
  /// The complete index of a field; null if there is none, and then the wish for it is noted.
  const ReferenceIndex* index_of(document::CollectionNumber collection,
                                 const document::FieldName& field) const;

  Environment& environment_;
  Environment::Reading reading_;
  const Contents contents_;
  document::Revision revision_;
  struct Asked {
    document::CollectionNumber collection;
    std::string field;
    std::optional<ReferenceIndex> index;
  };
  mutable std::vector<std::unique_ptr<Asked>> asked_;  // queries ask for one index many times
};

// What snapshots and write transactions, each a view of its contents, answer alike.

document::CollectionInfo info_of(document::CollectionNumber number, CollectionRecord record);
/// Those that View::collections gives.
std::vector<document::CollectionInfo> listed(const Contents& contents, const document::View& view);

}  // namespace doctor::store
