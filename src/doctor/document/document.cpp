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
  const std::size_t count = field_count();
  const std::string_view text = stored_.substr(text_at(stored_, count));
  const layout::Entry entry = layout::entry(stored_.data(), index);
  // Behind the name stand `":`, behind the value `,"` and the next name, or the closing brace.
  const std::size_t value_at = entry.name_offset + entry.name_length() + 2;
  const std::size_t value_end = index + 1 < count
                                    ? layout::entry(stored_.data(), index + 1).name_offset - 2
                                    : text.size() - 1;
  return {text.substr(entry.name_offset, entry.name_length()),
          text.substr(value_at, value_end - value_at)};
}

std::optional<std::string_view> DocumentView::find(const FieldName& name) const {
  const std::size_t count = field_count();
  const char* text = stored_.data() + text_at(stored_, count);
  const std::string& spelling = name.spelling();
  const std::uint32_t tag = layout::name_tag(spelling.size(), name.hash());
  for (std::size_t i = 0; i < count; ++i) {
    const layout::Entry entry = layout::entry(stored_.data(), i);
    if (entry.tag == tag &&
        std::memcmp(text + entry.name_offset, spelling.data(), spelling.size()) == 0) {
      return field(i).value;
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
  builder.add_all(compact_object);
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
  builder.add_all(text);
  auto again = builder.finish(std::nullopt);
  if (!again) return again.error();
  again->set_revision(DocumentView(stored).revision());
  if (again->stored() != stored) return invalid("a document's table does not agree with its text");
  return {};
}

}  // namespace doctor::document
