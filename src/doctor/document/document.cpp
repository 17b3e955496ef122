#include "doctor/document/document.hpp"

#include <limits>

#include "doctor/document/builder.hpp"
#include "doctor/document/layout.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"

namespace doctor::document {
namespace {

std::size_t text_at(std::string_view stored, std::size_t field_count) {
  return stored.empty() ? 0 : layout::header_size + field_count * sizeof(layout::Entry);
}

}  // namespace

// One of `count` fields.
Field DocumentView::field_at(std::size_t index, std::size_t count) const {
  const char* at = stored_.data() + layout::header_size + index * sizeof(layout::Entry);
  const char* text = stored_.data() + text_at(stored_, count);
  const auto entry = layout::load<layout::Entry>(at);
  const char* name = text + entry.name_offset;
  // Behind the name stand `":`, behind the value `,"` and the next name, or the closing brace.
  const char* value = name + entry.name_length() + 2;
  const char* end = index + 1 < count
                        ? text + layout::load<layout::Entry>(at + sizeof entry).name_offset - 2
                        : stored_.data() + stored_.size() - 1;
  return {{name, entry.name_length()}, {value, static_cast<std::size_t>(end - value)}};
}

Revision DocumentView::revision() const {
  return Revision(layout::load<std::uint64_t>(stored_.data() + layout::revision_at));
}

std::string_view DocumentView::text() const {
  return stored_.substr(text_at(stored_, field_count()));
}

std::size_t DocumentView::field_count() const {
  if (stored_.empty()) return 0;
  return layout::load<std::uint32_t>(stored_.data() + layout::field_count_at);
}

Field DocumentView::field(std::size_t index) const {
  return field_at(index, field_count());
}

std::optional<std::string_view> DocumentView::find(const FieldName& name) const {
  const std::size_t count = field_count();
  if (count == 0) return std::nullopt;
  const char* entries = stored_.data() + layout::header_size;
  const char* text = entries + count * sizeof(layout::Entry);
  const std::string& spelling = name.spelling();
  const std::uint32_t tag = layout::name_tag(spelling.size(), name.hash());
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = layout::load<layout::Entry>(entries + i * sizeof(layout::Entry));
    if (entry.tag == tag &&
        std::memcmp(text + entry.name_offset, spelling.data(), spelling.size()) == 0) {
      return field_at(i, count).value;
    }
  }
  return std::nullopt;
}

std::string_view DocumentView::id_value() const {
  return field(layout::load<std::uint32_t>(stored_.data() + layout::id_field_at)).value;
}

std::string DocumentView::id() const {
  return json::unescape(json::content(id_value()));
}

Document Document::of_checked(std::string_view compact_object) {
  Limits none;
  none.document_size = std::numeric_limits<std::size_t>::max();
  none.document_fields = std::numeric_limits<std::size_t>::max();
  Builder builder(IdRule::document, none);
  builder.take_checked(compact_object);
  return builder.finish(std::nullopt).value();
}

void Document::set_revision(Revision revision) {
  layout::store(stored_.data() + layout::revision_at, revision.value);
}

Result<void> verify(std::string_view stored) {
  if (stored.size() < layout::header_size) return invalid("a document is shorter than its header");
  const std::uint64_t count = layout::load<std::uint32_t>(stored.data() + layout::field_count_at);
  const std::uint64_t table = layout::header_size + count * sizeof(layout::Entry);
  if (table > stored.size()) return invalid("a document is shorter than its table of fields");
  const std::string_view text = stored.substr(table);
  const auto compact = json::compact(text, json::Scanner::deepest);
  if (!compact) return compact.error();
  if (*compact != text || text.front() != '{') return invalid("a document is not a compact object");

  // A document made of the text alone must be this one, but for its revision.
  Limits none;
  none.document_size = std::numeric_limits<std::size_t>::max();
  none.document_fields = std::numeric_limits<std::size_t>::max();
  Builder builder(IdRule::document, none);
  builder.take_checked(text);
  auto again = builder.finish(std::nullopt);
  if (!again) return again.error();
  again->set_revision(DocumentView(stored).revision());
  if (again->stored() != stored) return invalid("a document's table does not agree with its text");
  return {};
}

}  // namespace doctor::document
