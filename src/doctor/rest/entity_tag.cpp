#include "doctor/rest/entity_tag.hpp"

#include <array>
#include <charconv>

#include "doctor/base/text.hpp"

namespace doctor::rest {
namespace {

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

bool is_tag_octet(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet == 0x21 || (octet >= 0x23 && octet != 0x7F);
}

}  // namespace

bool EntityTags::any() const {
  return trimmed(rest_) == "*";
}

std::optional<EntityTag> EntityTags::next() {
  const auto fail = [this] {
    malformed_ = true;
    rest_ = {};
    return std::nullopt;
  };
  if (malformed_) return std::nullopt;

  // Blanks and empty elements before the next tag; two tags need a comma between them.
  bool comma = first_;
  while (!rest_.empty() &&
         (rest_.front() == ',' || rest_.front() == ' ' || rest_.front() == '\t')) {
    comma |= rest_.front() == ',';
    rest_.remove_prefix(1);
  }
  if (rest_.empty()) {
    if (first_) return fail();  // an empty list
    return std::nullopt;
  }
  if (!comma) return fail();

  EntityTag tag;
  if (rest_.starts_with("W/")) {
    tag.weak = true;
    rest_.remove_prefix(2);
  }
  if (!rest_.starts_with('"')) return fail();
  const auto end = rest_.find('"', 1);
  if (end == std::string_view::npos) return fail();
  tag.opaque = rest_.substr(1, end - 1);
  for (const char c : tag.opaque) {
    if (!is_tag_octet(c)) return fail();
  }
  rest_.remove_prefix(end + 1);
  first_ = false;
  return tag;
}

void append_document_tag(std::string& out, std::string_view store_id, document::Revision revision,
                         bool gzip) {
  out.append("\"").append(store_id).append("-");
  append_number(out, revision.value);
  if (gzip) out.append(gzip_ending);
  out.append("\"");
}

std::optional<document::Revision> revision_of_tag(std::string_view opaque,
                                                  std::string_view store_id) {
  if (!opaque.starts_with(store_id)) return std::nullopt;
  opaque.remove_prefix(store_id.size());
  if (!opaque.starts_with('-')) return std::nullopt;
  opaque.remove_prefix(1);
  if (opaque.ends_with(gzip_ending)) opaque.remove_suffix(gzip_ending.size());
  if (opaque.starts_with('0')) return std::nullopt;  // we never write one
  const auto number = parse_unsigned(opaque, UINT64_MAX);
  if (!number) return std::nullopt;
  return document::Revision{*number};
}

std::string query_tag(std::string_view store_id, std::uint64_t query_hash,
                      document::Revision newest) {
  std::string tag(store_id);
  tag += '-';
  append_number(tag, query_hash, 16);
  tag += '-';
  append_number(tag, newest.value);
  return tag;
}

std::string answer_tag(std::uint64_t answer_hash) {
  std::string tag;
  append_number(tag, answer_hash, 16);
  return tag;
}

}  // namespace doctor::rest
