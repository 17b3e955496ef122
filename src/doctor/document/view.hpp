#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/strong.hpp"
#include "doctor/document/document.hpp"
#include "doctor/document/permissions.hpp"

namespace doctor::document {

/// A collection within one store, once its name has been looked up.
using CollectionNumber = Strong<struct CollectionNumberTag, std::uint32_t>;
/// Given to a document when it is created, growing within its collection and never reused: its
/// order is creation order.
using DocumentNumber = Strong<struct DocumentNumberTag, std::uint64_t>;

/// A document and its place; valid as long as the view that gave it.
struct Entry {
  DocumentNumber number;
  DocumentView document;
};

/// A collection as one reader sees it.
struct CollectionInfo {
  CollectionNumber number;
  std::string name;
  std::uint64_t count;  ///< documents that this reader may see
  Revision revision;    ///< the newest that touched any document of it, visible or not
};

/// A walk over documents in creation order.
class Walk {
 public:
  virtual ~Walk() = default;
  /// The next one, or nothing at the end.
  virtual std::optional<Entry> next() = 0;
};

/// Everything at one revision, as one reader may see it. Queries know nothing else: what a view
/// does not show does not exist. A view is used by one thread at a time; what it gives is valid
/// while it lives.
class View {
 public:
  virtual ~View() = default;

  virtual Revision revision() const = 0;
  /// The collection's number; nothing if it never existed.
  virtual std::optional<CollectionNumber> collection(std::string_view name) const = 0;
  /// All collections with at least one visible document, by name; sessions are not among them.
  virtual std::vector<CollectionInfo> collections() const = 0;
  virtual CollectionInfo info(CollectionNumber collection) const = 0;

  virtual std::optional<Entry> find(CollectionNumber collection, std::string_view id) const = 0;
  /// From the first document whose number is at least `from`.
  virtual std::unique_ptr<Walk> walk(CollectionNumber collection,
                                     DocumentNumber from = DocumentNumber{0}) const = 0;

  /// The documents of `collection` whose field holds `target` (an id's text), or an array that
  /// contains it, in creation order: by an index. Nothing if there is no such index yet, and then
  /// the wish for one is noted; the caller scans.
  virtual std::optional<std::vector<Entry>> referrers(CollectionNumber collection,
                                                      const FieldName& field,
                                                      std::string_view target) const = 0;
};

/// A view that shows only what `permissions` allow. For listed ids it walks the list, not the
/// collection. Keeps references: `view` and `permissions` must outlive it.
class PermittedView final : public View {
 public:
  PermittedView(const View& view, const Permissions& permissions)
      : view_(view), permissions_(permissions) {}

  Revision revision() const override { return view_.revision(); }
  std::optional<CollectionNumber> collection(std::string_view name) const override;
  std::vector<CollectionInfo> collections() const override;
  CollectionInfo info(CollectionNumber collection) const override;
  std::optional<Entry> find(CollectionNumber collection, std::string_view id) const override;
  std::unique_ptr<Walk> walk(CollectionNumber collection, DocumentNumber from) const override;
  std::optional<std::vector<Entry>> referrers(CollectionNumber collection, const FieldName& field,
                                              std::string_view target) const override;

 private:
  // What may be read of one collection: all of it, or what is listed, if anything.
  struct Access {
    CollectionNumber collection;
    bool all;
    const Permissions::Ids* listed;
  };
  Access access(CollectionNumber collection) const;
  Access access_by_name(CollectionNumber collection, std::string_view name) const;
  std::vector<Entry> listed_entries(const Access& access) const;

  const View& view_;
  const Permissions& permissions_;
  mutable std::vector<Access> accesses_;  // of the collections that were asked for
};

}  // namespace doctor::document
