#include "doctor/mqtt/topic.hpp"

#include <algorithm>

#include "doctor/base/text.hpp"

namespace doctor::mqtt {
namespace {

char hex_digit(int value) {
  return "0123456789ABCDEF"[value];
}

// Appends `text` with each character of `reserved` as %XX.
void append_encoded(std::string& out, std::string_view text, std::string_view reserved) {
  for (;;) {
    const auto at = text.find_first_of(reserved);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return;
    out += '%';
    out += hex_digit(static_cast<unsigned char>(text[at]) >> 4);
    out += hex_digit(text[at] & 15);
    text.remove_prefix(at + 1);
  }
}

}  // namespace

bool is_topic_name(std::string_view topic) {
  return !topic.empty() && !has_wildcard(topic);
}

bool is_topic_filter(std::string_view filter) {
  if (filter.empty()) return false;
  for (std::size_t at = 0; at < filter.size(); ++at) {
    if (filter[at] != '+' && filter[at] != '#') continue;
    const bool last = at + 1 == filter.size();
    if (at > 0 && filter[at - 1] != '/') return false;
    if (filter[at] == '#' ? !last : !last && filter[at + 1] != '/') return false;
  }
  return true;
}

bool has_wildcard(std::string_view filter) {
  return std::any_of(filter.begin(), filter.end(), [](char c) { return c == '+' || c == '#'; });
}

std::size_t topic_levels(std::string_view topic) {
  return 1 + static_cast<std::size_t>(std::count(topic.begin(), topic.end(), '/'));
}

bool is_shared(std::string_view filter) {
  return filter == "$share" || filter.starts_with("$share/");
}

std::string document_topic(std::string_view collection, std::string_view id) {
  std::string topic;
  topic.reserve(collection.size() + 1 + id.size());
  topic += collection;
  topic += '/';
  append_encoded(topic, id, "%/+#");
  return topic;
}

bool may_read_topic(const document::Permissions& permissions, std::string_view topic) {
  const auto slash = topic.find('/');
  const std::string_view collection = topic.substr(0, slash);
  const std::string_view id = topic.substr(slash + 1);
  if (id.find('%') == std::string_view::npos) return permissions.may_read(collection, id);
  return permissions.may_read(collection, percent_decode(id).value_or(std::string(id)));
}

std::string announcement_payload(const document::Change& change) {
  if (change.kind == document::ChangeKind::created) return "+";
  if (change.kind == document::ChangeKind::removed) return "-";
  std::string payload;
  for (const std::string& field : change.fields) {
    if (&field != &change.fields.front()) payload += ',';
    append_encoded(payload, field, "%,");
  }
  if (payload == "+") return "%2B";
  if (payload == "-") return "%2D";
  return payload;
}

}  // namespace doctor::mqtt
