#pragma once

#include "doctor/base/time.hpp"
#include "doctor/document/view.hpp"

namespace doctor::rest {

/// A view in which sessions that have expired by `now` do not exist: a commit removes them only
/// some time later. Everything else is as in `view`, which must outlive it.
class ActiveSessions final : public document::View {
 public:
  ActiveSessions(const document::View& view, Timestamp now);

  document::Revision revision() const override { return view_.revision(); }
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

 private:
  const document::View& view_;
  Timestamp now_;
  std::optional<document::CollectionNumber> sessions_;
};

}  // namespace doctor::rest
