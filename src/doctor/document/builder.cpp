#include "doctor/document/builder.hpp"

#include <algorithm>
#include <limits>

#include "doctor/base/crypto.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"

namespace doctor::document {
namespace {

constexpr std::string_view id_name = "id";

Error id_fault(std::string detail) {
  Error failure = invalid(std::move(detail));
  failure.field = id_name;
  return failure;
}

bool is_integer(std::string_view number) {
  return number.find_first_not_of("-0123456789") == std::string_view::npos;
}

bool is_good_id(IdRule rule, std::string_view id) {
  return rule == IdRule::session ? is_session_id(id) : is_document_id(id);
}

std::string_view id_demand(IdRule rule) {
  return rule == IdRule::session ? "an id has 1 to 255 visible ASCII characters"
                                 : "an id has 1 to 255 bytes and no control characters";
}

}  // namespace

std::string shown_id(IdRule rule, const std::string& id) {
  return rule == IdRule::session ? fingerprint(id) : id;
}

void Builder::start(std::optional<std::size_t> offset) {
  offset_ = offset;
  text_ = "{";
  entries_.clear();
  offsets_.clear();
  id_.reset();
  id_field_ = 0;
  fault_.reset();
}

void Builder::note(Error failure) {
  if (!fault_) fault_ = std::move(failure);
}

void Builder::begin_field(std::string_view spelling, std::size_t offset) {
  if (!entries_.empty()) text_ += ',';
  const std::size_t quote = text_.size();
  Result<void> checked;
  if (spelling.find('\\') == std::string_view::npos) {
    text_ += '"';
    text_ += spelling;
    text_ += '"';
    checked = check_field_name(spelling);
  } else {
    const std::string name = json::unescape(spelling);
    json::append_string(text_, name);
    checked = check_field_name(name);
  }
  if (!checked) {
    Error failure = checked.error();
    if (offset_) failure.offset = offset;
    note(std::move(failure));
  }
  const std::string_view name = std::string_view(text_).substr(quote + 1, text_.size() - quote - 2);
  entries_.push_back({static_cast<std::uint32_t>(quote + 1),
                      layout::name_tag(name.size() & 0xFFFF, field_hash(name))});
  offsets_.push_back(offset);
  in_id_ = name == id_name;
  if (in_id_) id_field_ = entries_.size() - 1;
  text_ += ':';
  value_at_ = text_.size();
}

void Builder::end_field() {
  if (in_id_) take_id();
}

void Builder::add_all(std::string_view compact_object) {
  start(std::nullopt);
  for (const json::Member& member : json::Members(compact_object)) {
    begin_field(member.name, 0);
    text_ += member.value;
    end_field();
  }
}

// The value of `id` is rewritten as a string in its minimal spelling.
void Builder::take_id() {
  const std::string_view value = std::string_view(text_).substr(value_at_);
  const json::Kind kind = json::kind(value);
  if (kind == json::Kind::string) {
    id_ = json::unescape(json::content(value));
  } else if (kind == json::Kind::number && is_integer(value)) {
    id_ = value == "-0" ? std::string_view("0") : value;
  } else {
    note(id_fault("an id is a string or an integer"));
    return;
  }
  text_.erase(value_at_);
  json::append_string(text_, *id_);
}

Result<void> Builder::check_repeated() {
  if (fault_) return {};
  keys_.clear();
  const std::string_view text = text_;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::size_t begin = entries_[i].name_offset;
    keys_.emplace_back(text.substr(begin, entries_[i].name_length()), offsets_[i]);
  }
  const json::Key* repeated = json::find_repeated(keys_);
  if (repeated == nullptr) return {};
  Error failure = json::Scanner::fail_at(repeated->offset, "the same field twice in one document");
  failure.field = json::unescape(repeated->name);
  return failure;
}

std::optional<Error> Builder::judge_id(std::optional<std::string_view> path_id) const {
  if (!id_ && !path_id) return id_fault("a document needs an id");
  if (id_ && path_id && *id_ != *path_id) return id_fault("the id is not the one in the path");
  if (!is_good_id(rule_, id_ ? std::string_view(*id_) : *path_id)) {
    return id_fault(std::string(id_demand(rule_)));
  }
  return std::nullopt;
}

Result<Document> Builder::finish(std::optional<std::string_view> path_id) {
  text_ += '}';
  std::string id_first;
  if (!id_ && path_id) {
    id_first = "\"id\":" + json::quoted(*path_id);
    if (!entries_.empty()) id_first += ',';
  }
  if (!fault_) fault_ = judge_id(path_id);
  if (!fault_ && entries_.size() + (id_first.empty() ? 0 : 1) > limits_.document_fields) {
    fault_ = invalid("a document has at most " + std::to_string(limits_.document_fields) +
                     " fields (limit document_fields)");
  }
  const std::size_t largest =
      std::min<std::size_t>(limits_.document_size, std::numeric_limits<std::uint32_t>::max());
  if (!fault_ && text_.size() + id_first.size() > largest) {
    fault_ = error(Errc::too_large, "a document has at most " + std::to_string(largest) +
                                        " bytes (limit document_size)");
  }
  if (fault_) {
    if (!fault_->offset) fault_->offset = offset_;
    return placed(*fault_);
  }
  return Document(assemble(id_first));
}

Error Builder::placed(Error failure) const {
  if (id_ && is_good_id(rule_, *id_)) failure.id = shown_id(rule_, *id_);
  return failure;
}

std::string Builder::assemble(std::string_view id_first) const {
  const std::size_t inserted = id_first.empty() ? 0 : 1;
  const std::size_t count = entries_.size() + inserted;
  const std::size_t table = layout::header_size + count * sizeof(layout::Entry);
  std::string stored;
  stored.reserve(table + text_.size() + id_first.size());
  stored.resize(table);
  layout::store(stored.data() + layout::field_count_at, static_cast<std::uint32_t>(count));
  layout::store(stored.data() + layout::id_field_at,
                static_cast<std::uint32_t>(inserted != 0 ? 0 : id_field_));
  char* at = stored.data() + layout::header_size;
  if (inserted != 0) {
    layout::store(at, layout::Entry{2, layout::name_tag(id_name.size(), field_hash(id_name))});
    at += sizeof(layout::Entry);
  }
  for (layout::Entry entry : entries_) {
    entry.name_offset += static_cast<std::uint32_t>(id_first.size());
    layout::store(at, entry);
    at += sizeof(layout::Entry);
  }
  stored += '{';
  stored += id_first;
  stored.append(text_, 1);
  return stored;
}

}  // namespace doctor::document
