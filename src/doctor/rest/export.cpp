#include "doctor/rest/service.hpp"

namespace doctor::rest {

class Export::Impl {
 public:
  Impl(std::shared_ptr<const document::View> view, std::vector<std::string> collections)
      : view_(std::move(view)), collections_(std::move(collections)) {
    if (!collections_.empty()) return;
    for (document::CollectionInfo& info : view_->collections()) {
      collections_.push_back(std::move(info.name));
    }
  }

  bool next(std::size_t bytes, std::string& out) {
    const std::size_t enough = out.size() + bytes;
    while (out.size() < enough) {
      if (walk_ == nullptr && !begin_collection()) return false;
      if (const auto entry = walk_->next()) {
        out.append(line_start_).append(entry->document.text()).append("}\n");
      } else {
        walk_.reset();
      }
    }
    return true;
  }

 private:
  // Goes to the next collection that there is.
  bool begin_collection() {
    while (at_ < collections_.size()) {
      const std::string& name = collections_[at_++];
      const auto number = view_->collection(name);
      if (!number) continue;
      walk_ = view_->walk(*number);
      // Names of collections need no escapes.
      line_start_ = "{\"collection\":\"" + name + "\",\"document\":";
      return true;
    }
    return false;
  }

  std::shared_ptr<const document::View> view_;
  std::vector<std::string> collections_;
  std::size_t at_ = 0;
  std::unique_ptr<document::Walk> walk_;
  std::string line_start_;
};

Export::Export(std::shared_ptr<const document::View> view, std::vector<std::string> collections)
    : impl_(std::make_unique<Impl>(std::move(view), std::move(collections))) {}
Export::~Export() = default;
Export::Export(Export&&) noexcept = default;
Export& Export::operator=(Export&&) noexcept = default;

bool Export::next(std::size_t bytes, std::string& out) {
  return impl_->next(bytes, out);
}

}  // namespace doctor::rest
