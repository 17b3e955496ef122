#include "doctor/document/difference.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "doctor/json/value.hpp"

namespace doctor::document {
namespace {

// Finds fields by their spelling. Most documents keep the order of their fields, so the one behind
// the last that was found is tried first; else they are looked for in a sorted list.
class Fields {
 public:
  explicit Fields(DocumentView document) : document_(document), count_(document.field_count()) {}

  std::optional<std::string_view> find(std::string_view spelling) {
    if (next_ < count_) {
      const Field field = document_.field(next_);
      if (field.spelling == spelling) {
        ++next_;
        return field.value;
      }
    }
    if (sorted_.empty()) sort();
    const auto found = std::lower_bound(
        sorted_.begin(), sorted_.end(), spelling,
        [this](std::size_t i, std::string_view s) { return document_.field(i).spelling < s; });
    if (found == sorted_.end()) return std::nullopt;
    const Field field = document_.field(*found);
    if (field.spelling != spelling) return std::nullopt;
    next_ = *found + 1;
    return field.value;
  }

 private:
  void sort() {
    sorted_.resize(count_);
    for (std::size_t i = 0; i < count_; ++i) sorted_[i] = i;
    std::sort(sorted_.begin(), sorted_.end(), [this](std::size_t a, std::size_t b) {
      return document_.field(a).spelling < document_.field(b).spelling;
    });
  }

  DocumentView document_;
  std::size_t count_;
  std::size_t next_ = 0;
  std::vector<std::size_t> sorted_;
};

}  // namespace

Difference difference(DocumentView before, DocumentView after) {
  Difference found;
  if (before.text() == after.text()) return found;

  Fields old(before);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < after.field_count(); ++i) {
    const Field field = after.field(i);
    const auto was = old.find(field.spelling);
    if (was) ++kept;
    if (field.spelling == "id") continue;
    if (!was || !json::equal(*was, field.value)) {
      found.differing.push_back(json::unescape(field.spelling));
    }
  }
  if (kept == before.field_count()) return found;

  Fields current(after);
  for (std::size_t i = 0; i < before.field_count(); ++i) {
    const Field field = before.field(i);
    if (!current.find(field.spelling)) found.dropped.push_back(json::unescape(field.spelling));
  }
  return found;
}

std::vector<std::string> changed_fields(DocumentView before, DocumentView after) {
  Difference found = difference(before, after);
  std::vector<std::string> changed = std::move(found.differing);
  std::move(found.dropped.begin(), found.dropped.end(), std::back_inserter(changed));
  return changed;
}

}  // namespace doctor::document
