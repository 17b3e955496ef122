#include "doctor/document/builder.hpp"

#include <algorithm>
#include <limits>

#include "doctor/base/crypto.hpp"
#include "doctor/document/layout.hpp"
#include "doctor/json/value.hpp"

namespace doctor::document {
namespace {

constexpr std::string_view id_name = "id";

Error id_fault(std::string detail) {
  Error failure = invalid(std::move(detail));
  failure.field = id_name;
  return failure;
}

bool has_escape(std::string_view spelling) {
  return spelling.find('\\') != std::string_view::npos;
}

bool is_good_id(IdRule rule, std::string_view id) {
  return rule == IdRule::session ? is_session_id(id) : is_document_id(id);
}

// The id in an object whose text is broken further on; empty if there is none.
std::string id_before_fault(std::string_view request, const std::vector<json::Taken>& members) {
  for (const json::Taken& member : members) {
    json::Scanner scanner(request.substr(member.offset));
    std::string name;
    std::string value;
    if (!scanner.value(name, 0) || json::unescape(json::content(name)) != id_name) continue;
    if (scanner.take(':') && scanner.value(value, 0)) return id_in(value).value_or("");
  }
  return {};
}

}  // namespace

std::optional<std::string> id_in(std::string_view value) {
  if (json::is_string(value)) return json::unescape(json::content(value));
  if (json::kind(value) != json::Kind::number) return std::nullopt;
  if (value.find_first_not_of("-0123456789") != std::string_view::npos) return std::nullopt;
  return std::string(value == "-0" ? "0" : value);
}

std::string shown_id(IdRule rule, const std::string& id) {
  return rule == IdRule::session ? fingerprint(id) : id;
}

Result<void> Builder::take(json::Scanner& scanner) {
  text_.clear();
  id_.clear();
  scanner.peek();
  offset_ = scanner.offset();
  auto taken = scanner.object(text_, limits_.nesting, members_);
  if (taken) return {};
  id_ = id_before_fault(scanner.text(), members_);
  return placed(taken.error());
}

void Builder::take_checked(std::string_view object) {
  offset_.reset();
  text_ = object;
  id_.clear();
  members_.clear();
  for (const json::Member& member : json::Members(text_)) {
    const auto at = static_cast<std::size_t>(member.name.data() - text_.data());
    members_.push_back(
        {at, member.name.size(), field_hash(member.name), has_escape(member.name), 0});
  }
}

Result<Document> Builder::finish(std::optional<std::string_view> path_id) {
  minimal_ = true;
  Result<void> good = check_names();
  // Looked at in any case: an error of a name tells the id too.
  const Result<void> good_id = check_id(path_id);
  if (good) good = good_id;
  if (good && !minimal_) spell_minimally();
  if (good) good = check_limits();
  if (good) return Document(assemble());
  Error failure = good.error();
  if (!failure.offset) failure.offset = offset_;
  // Where there is no id to name the document, its place does.
  if (failure.offset && !is_good_id(rule_, id_)) {
    Error at = json::Scanner::fail_at(*failure.offset, std::move(failure.detail));
    at.field = std::move(failure.field);
    return at;
  }
  return placed(std::move(failure));
}

std::string_view Builder::name(std::size_t member) const {
  return std::string_view(text_).substr(members_[member].name_at, members_[member].name_length);
}

// Behind a name stand `":`, behind a value `,"` and the next name, or the closing brace.
std::string_view Builder::value(std::size_t member) const {
  const std::size_t begin = members_[member].name_at + members_[member].name_length + 2;
  const std::size_t end =
      member + 1 < members_.size() ? members_[member + 1].name_at - 2 : text_.size() - 1;
  return std::string_view(text_).substr(begin, end - begin);
}

Result<void> Builder::check_names() {
  id_member_.reset();
  std::optional<Error> fault;
  const auto check = [&](std::string_view unescaped, std::size_t member) {
    if (unescaped == id_name) id_member_ = member;
    if (fault) return;
    if (const auto good = check_field_name(unescaped); !good) {
      fault = good.error();
      if (offset_) fault->offset = members_[member].offset;
    }
  };
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].escaped) {
      minimal_ = false;
      check(json::unescape(name(i)), i);
    } else {
      check(name(i), i);
    }
  }
  if (fault) return *fault;
  return {};
}

Result<void> Builder::check_id(std::optional<std::string_view> path_id) {
  if (id_member_) {
    const std::string_view spelt = value(*id_member_);
    auto id = id_in(spelt);
    if (!id) return id_fault("an id is a string or an integer");
    if (!json::is_string(spelt) || has_escape(spelt)) minimal_ = false;
    if (path_id && *id != *path_id) {
      return id_fault("the id is not the one in the path: leave it out or send the same");
    }
    id_ = std::move(*id);
  } else {
    if (!path_id) return id_fault("a document needs an id");
    id_ = *path_id;
    minimal_ = false;
  }
  if (is_good_id(rule_, id_)) return {};
  id_.clear();
  return id_fault(rule_ == IdRule::session
                      ? "the id of a session has 1 to 255 visible ASCII characters"
                      : "an id has 1 to 255 bytes and no control characters");
}

Result<void> Builder::check_limits() const {
  if (members_.size() > limits_.document_fields) {
    return invalid("a document has at most " + std::to_string(limits_.document_fields) +
                   " fields (limit document_fields)");
  }
  const std::size_t largest =
      std::min<std::size_t>(limits_.document_size, std::numeric_limits<std::uint32_t>::max());
  if (text_.size() > largest) {
    return error(Errc::too_large, "a document has at most " + std::to_string(largest) +
                                      " bytes (limit document_size)");
  }
  return {};
}

// Rewrites the text: names and the id in their one minimal spelling, an id that was left out first.
void Builder::spell_minimally() {
  std::string text = "{";
  std::vector<json::Taken> members;
  const auto append = [&](std::string_view spelling, std::string_view of_value) {
    if (text.size() > 1) text += ',';
    text += '"';
    members.push_back({text.size(), spelling.size(), field_hash(spelling), false, 0});
    text += spelling;
    text += "\":";
    text += of_value;
  };
  const std::string id = json::quoted(id_);
  if (!id_member_) append(id_name, id);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const std::string_view of_value = i == id_member_ ? std::string_view(id) : value(i);
    if (members_[i].escaped) {
      append(FieldName(json::unescape(name(i))).spelling(), of_value);
    } else {
      append(name(i), of_value);
    }
  }
  if (!id_member_) id_member_ = 0;
  text += '}';
  text_ = std::move(text);
  members_ = std::move(members);
}

std::string Builder::assemble() const {
  const std::size_t table = layout::header_size + members_.size() * sizeof(layout::Entry);
  std::string stored;
  stored.reserve(table + text_.size());
  stored.resize(table);
  layout::store(stored.data() + layout::field_count_at,
                static_cast<std::uint32_t>(members_.size()));
  layout::store(stored.data() + layout::id_field_at, static_cast<std::uint32_t>(*id_member_));
  char* at = stored.data() + layout::header_size;
  for (const json::Taken& member : members_) {
    const auto hash = static_cast<std::uint16_t>(member.name_hash);
    layout::store(at, layout::Entry{static_cast<std::uint32_t>(member.name_at),
                                    layout::name_tag(member.name_length, hash)});
    at += sizeof(layout::Entry);
  }
  stored += text_;
  return stored;
}

Error Builder::placed(Error failure) const {
  if (is_good_id(rule_, id_)) failure.id = shown_id(rule_, id_);
  return failure;
}

}  // namespace doctor::document
