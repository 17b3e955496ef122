#include "doctor/query/writer.hpp"

#include <set>

#include "doctor/json/value.hpp"
#include "doctor/query/order.hpp"

namespace doctor::query {
namespace {

// How many documents a refinement takes, those it skips included.
std::uint64_t reach(const Refinement& refinement) {
  const std::uint64_t limit = refinement.limit.value_or(0);
  if (limit == 0) return std::numeric_limits<std::uint64_t>::max();
  return refinement.skip.value_or(0) + limit;  // both are below 2^63
}

}  // namespace

void Writer::put(std::string_view text) {
  if (budget_.may_hold(out_.size() - begin_ + text.size())) out_.append(text);
}

void Writer::object(const Object& object, DocumentView document) {
  if (object.whole) return put(document.text());
  const std::size_t first = out_.size();
  if (object.may_repeat) ++moving_;
  put('{');
  members(object.members, document);
  close(first, '}');
  if (object.may_repeat) {
    --moving_;
    if (!budget_.spent()) drop_repeated(first);
  }
}

void Writer::members(const std::vector<Member>& members, DocumentView document) {
  budget_.seek(members.size(), document.field_count());
  for (const Member& member : members) {
    if (budget_.spent()) return;
    this->member(member, document);
  }
}

void Writer::member(const Member& member, DocumentView document) {
  if (const auto* field = std::get_if<const FieldName*>(&member.what)) {
    const auto value = document.find(**field);
    if (!value) return;
    put(member.key);
    put(*value);
    return put(',');
  }
  if (const auto* edge = std::get_if<std::unique_ptr<Edge>>(&member.what)) {
    return this->edge(**edge, document);
  }
  if (std::holds_alternative<Star>(member.what)) return star(member, document);
  put(member.key);
  if (const auto* object = std::get_if<std::unique_ptr<Object>>(&member.what)) {
    this->object(**object, document);
  } else {
    many(*std::get<std::unique_ptr<Many>>(member.what), document);
  }
  put(',');
}

void Writer::star(const Member& member, DocumentView document) {
  if (member.key == "\"") {
    const std::string_view text = document.text();
    put(text.substr(1, text.size() - 2));
    return put(',');
  }
  for (std::size_t i = 0; i < document.field_count(); ++i) {
    const document::Field field = document.field(i);
    put(member.key);
    put(field.spelling);
    put("\":");
    put(field.value);
    put(',');
  }
}

void Writer::edge(const Edge& edge, DocumentView document) {
  const auto reference = document.find(*edge.hops.front().field);
  if (!reference || !References::is_reference(*reference)) return;
  TextMap<Range>& written = written_[edge.memo];
  if (const Range* known = written.find(*reference)) {
    if (known->size == 0) return;
    copy(*known);
    return put(',');
  }
  const std::size_t first = out_.size();
  if (const auto target = references_.follow(edge.hops, *reference)) {
    members(edge.members, *target);
  }
  remember(written, *reference, first, out_.size() == first ? first : out_.size() - 1);
}

void Writer::many(const Many& many, DocumentView document) {
  const std::size_t first = out_.size();
  put('[');
  const auto found = references_.many(many.step, document);
  if (many.step.refinement != nullptr) {
    refined(many, *many.step.refinement, found);
  } else {
    for (const Entry& entry : found) {
      budget_.look();
      if (budget_.spent()) return;
      element(many.each, entry.document);
    }
  }
  close(first, ']');
}

void Writer::refined(const Many& many, const Refinement& refinement,
                     const References::Found& found) {
  const std::uint64_t last = reach(refinement);
  const std::uint64_t skip = refinement.skip.value_or(0);
  const bool sorted = !refinement.orders.empty();
  Sorter sorter(refinement.orders, last, references_);
  std::uint64_t count = 0;
  for (const Entry& entry : found) {
    if (!sorted && count == last) return;
    budget_.look();
    if (budget_.spent()) return;
    if (refinement.where && !judge_.meets(*refinement.where, entry.document)) continue;
    if (sorted) {
      sorter.add(entry);
    } else if (count++ >= skip) {
      element(many.each, entry.document);
    }
  }
  if (!sorted) return;
  for (const Entry& entry : sorter.finish()) {
    if (budget_.spent()) return;
    if (count++ >= skip) element(many.each, entry.document);
  }
}

void Writer::element(const Value& value, DocumentView document) {
  if (this->value(value, document)) put(',');
}

// Whether there is one.
bool Writer::value(const Value& value, DocumentView document) {
  if (value.hops.empty()) return value_here(value, document);
  const auto reference = document.find(*value.hops.front().field);
  if (!reference || !References::is_reference(*reference)) return false;
  TextMap<Range>& written = written_[value.memo];
  if (const Range* known = written.find(*reference)) {
    copy(*known);
    return known->size != 0;
  }
  const std::size_t first = out_.size();
  const auto target = references_.follow(value.hops, *reference);
  const bool there = target && value_here(value, *target);
  remember(written, *reference, first, out_.size());
  return there;
}

bool Writer::value_here(const Value& value, DocumentView document) {
  budget_.seek(1, document.field_count());
  if (const auto* field = std::get_if<const FieldName*>(&value.what)) {
    const auto text = document.find(**field);
    if (text) put(*text);
    return text.has_value();
  }
  if (const auto* object = std::get_if<std::unique_ptr<Object>>(&value.what)) {
    this->object(**object, document);
  } else {
    many(*std::get<std::unique_ptr<Many>>(value.what), document);
  }
  return true;
}

void Writer::copy(Range range) {
  if (budget_.may_hold(out_.size() - begin_ + range.size)) {
    out_.append(out_, range.first, range.size);
  }
}

void Writer::remember(TextMap<Range>& written, std::string_view reference, std::size_t first,
                      std::size_t last) {
  if (moving_ == 0 && budget_.may_remember()) written.insert(reference, {first, last - first});
}

void Writer::close(std::size_t first, char bracket) {
  if (out_.size() > first + 1 && out_.back() == ',') out_.pop_back();
  put(bracket);
}

// Of members with the same key the first one stays.
void Writer::drop_repeated(std::size_t first) {
  const std::string text = out_.substr(first);
  budget_.read(text.size());
  if (budget_.spent()) return;
  std::set<std::string_view> seen;
  out_.resize(first);
  put('{');
  for (const json::Member& member : json::Members(text)) {
    if (!seen.insert(member.name).second) continue;
    put('"');
    put(member.name);
    put("\":");
    put(member.value);
    put(',');
  }
  close(first, '}');
}

}  // namespace doctor::query
