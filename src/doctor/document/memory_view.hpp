#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/document/document.hpp"
#include "doctor/document/view.hpp"

namespace doctor::document {

/// A view of documents that are held in memory, without any index: for tests and measurements.
/// Each put or remove is a revision of its own.
class MemoryView final : public View {
 public:
  /// Creates a document, or replaces the one with its id, which keeps its place. A text that is not
  /// a document is a bug of the test, and throws.
  void put(std::string_view collection, std::string_view text);
  void put(std::string_view collection, Document document);
  void remove(std::string_view collection, std::string_view id);

  Revision revision() const override { return revision_; }
  std::optional<CollectionNumber> collection(std::string_view name) const override;
  std::vector<CollectionInfo> collections() const override;
  CollectionInfo info(CollectionNumber collection) const override;
  std::optional<Entry> find(CollectionNumber collection, std::string_view id) const override;
  std::unique_ptr<Walk> walk(CollectionNumber collection,
                             DocumentNumber from = DocumentNumber{0}) const override;
  std::optional<std::vector<Entry>> referrers(CollectionNumber collection, const FieldName& field,
                                              std::string_view target) const override;

 private:
  struct Collection {
    std::string name;
    Revision revision;
    std::uint64_t next_number = 0;
    std::map<DocumentNumber, Document> documents;
    std::map<std::string, DocumentNumber, std::less<>> numbers;
  };
  class MapWalk;

  Revision revision_;
  std::vector<std::unique_ptr<Collection>> collections_;  // by number
  std::map<std::string, CollectionNumber, std::less<>> names_;
};

}  // namespace doctor::document
