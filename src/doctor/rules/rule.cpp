#include "doctor/rules/rule.hpp"

#include "doctor/document/builder.hpp"
#include "doctor/document/names.hpp"

namespace doctor::rules {
namespace {

constexpr std::string_view params = "params";

}  // namespace

template <class Parsed>
Result<IdSource> IdSource::made_of(Result<Parsed> parsed) {
  if (!parsed) return parsed.error();
  return IdSource(Source(std::move(*parsed)));
}

Result<IdSource> IdSource::parse(std::string_view text) {
  if (text.starts_with(params) && text.substr(params.size()).starts_with('.')) {
    return made_of(Path::parse_below(params, text));
  }
  return made_of(Template::parse(text));
}

Result<IdSource> IdSource::parse_of_item(std::string_view text) {
  if (text.find('{') == std::string_view::npos) return made_of(Path::parse(text));
  return made_of(Template::parse(text));
}

std::optional<std::string> IdSource::find(std::string_view value,
                                          const events::EventId& event) const {
  std::optional<std::string> id;
  if (const auto* text = std::get_if<Template>(&source_)) {
    id = text->fill(event);
  } else if (const auto found = std::get<Path>(source_).find(value, event)) {
    id = document::id_in(*found);
  }
  if (id && !document::is_document_id(*id)) id.reset();
  return id;
}

}  // namespace doctor::rules
