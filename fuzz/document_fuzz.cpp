// A body becomes documents, or an error; what is stored of it is sound, and a second one on the
// next line patches it. Permissions and times are read out of whatever is there.

#include <cstdint>
#include <string>
#include <string_view>

#include "doctor/document/document.hpp"
#include "doctor/document/session.hpp"
#include "doctor/json/value.hpp"
#include "require.hpp"

namespace {

using namespace doctor::document;

void check(const Document& document) {
  const DocumentView view = document.view();
  require(verify(document.stored()).has_value());
  require(changed_fields(view, view).empty());
  for (std::size_t i = 0; i < view.field_count(); ++i) {
    const FieldName name(doctor::json::unescape(view.field(i).spelling));
    require(name.spelling() == view.field(i).spelling);
    require(view.find(name) == view.field(i).value);
  }
  require(is_document_id(view.id()));
  static_cast<void>(parse_session(view));
}

void check_patches(const Document& before, std::string_view body, const doctor::Limits& limits) {
  for (const PatchKind kind : {PatchKind::shallow, PatchKind::merge, PatchKind::json_patch}) {
    const auto patch = Patch::parse(kind, body, limits);
    if (!patch) continue;
    const auto patched = patch->apply(before.view(), IdRule::document, limits);
    if (!patched) continue;
    check(patched->document);
    auto changed = changed_fields(before.view(), patched->document.view());
    require(changed.size() == patched->changed.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  const std::string_view body = text.substr(0, line);
  const doctor::Limits limits{.document_size = 4096, .nesting = 16, .document_fields = 100};

  if (const auto documents = parse_documents(body, IdRule::document, limits)) {
    for (const Document& document : *documents) check(document);
  }
  if (const auto put = parse_document(body, {IdRule::document, "the \"id\""}, limits)) check(*put);
  const auto document = parse_document(body, {}, limits);
  if (!document) return 0;
  check(*document);
  if (line != std::string_view::npos) check_patches(*document, text.substr(line + 1), limits);
  return 0;
}
