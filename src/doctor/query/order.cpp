#include "doctor/query/order.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include "doctor/json/value.hpp"
#include "doctor/query/member.hpp"

namespace doctor::query {
namespace {

// Grows with the number; equal for numbers that are too close for it.
std::uint64_t number_prefix(std::string_view text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc::result_out_of_range) {
    const bool negative = text.front() == '-';
    const bool large = json::compare_numbers(negative ? text.substr(1) : text, "1") > 0;
    number = large ? std::numeric_limits<double>::infinity() : 0;
    if (negative) number = -number;
  }
  const auto bits = std::bit_cast<std::uint64_t>(number + 0.0);  // no -0
  constexpr std::uint64_t sign = 1ull << 63;
  return (bits & sign) != 0 ? ~bits : bits | sign;
}

// The first octets, which stand in UTF-8 as the code points do.
std::uint64_t string_prefix(std::string_view content) {
  std::string unescaped;
  if (content.substr(0, 8).find('\\') != std::string_view::npos) {
    unescaped = json::unescape(content);
    content = unescaped;
  }
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    prefix = prefix << 8 | (i < content.size() ? static_cast<unsigned char>(content[i]) : 0);
  }
  return prefix;
}

}  // namespace

SortKey::SortKey(std::optional<std::string_view> value) {
  if (!value) return;
  text_ = *value;
  switch (json::kind(text_)) {
    case json::Kind::null:
      break;
    case json::Kind::boolean:
      rank_ = text_.front() == 't' ? Rank::yes : Rank::no;
      break;
    case json::Kind::number:
      rank_ = Rank::number;
      prefix_ = number_prefix(text_);
      break;
    case json::Kind::string:
      rank_ = Rank::string;
      prefix_ = string_prefix(json::content(text_));
      break;
    default:
      rank_ = Rank::other;
  }
}

std::weak_ordering operator<=>(const SortKey& a, const SortKey& b) {
  if (a.rank_ != b.rank_) return a.rank_ <=> b.rank_;
  if (a.prefix_ != b.prefix_) return a.prefix_ <=> b.prefix_;
  if (a.rank_ == SortKey::Rank::number) return json::compare_numbers(a.text_, b.text_);
  if (a.rank_ == SortKey::Rank::string) return json::compare_strings(a.text_, b.text_);
  return std::weak_ordering::equivalent;
}

std::optional<std::string_view> value_of(const Order& order, DocumentView document,
                                         References& references) {
  const auto& [steps, names] = order.path;
  if (!steps.empty()) {
    const auto reference = document.find(*steps.front().field);
    if (!reference || !References::is_reference(*reference)) return std::nullopt;
    const auto target = references.follow(steps, *reference);
    if (!target) return std::nullopt;
    document = *target;
  }
  if (names.empty()) return document.text();
  references.budget().seek(1, document.field_count());
  auto value = document.find(*names.front());
  for (std::size_t i = 1; value && i < names.size(); ++i) {
    if (value->front() != '{') return std::nullopt;
    references.budget().read(value->size());
    value = member_of(*value, *names[i]);
  }
  return value;
}

void Sorter::add(const Entry& entry) {
  const std::size_t first = keys_.size();
  for (const Order& order : orders_) {
    keys_.emplace_back(value_of(order, entry.document, references_));
  }
  if (!behind_.empty()) {
    auto order = compare(behind_.data(), keys_.data() + first);
    if (order == 0) order = behind_number_ <=> entry.number;
    if (order >= 0) {
      keys_.resize(first);
      return;
    }
  }
  rows_.push_back({entry, first, count_++});
  if (rows_.size() / 2 > most_ && rows_.size() >= 1024) drop_surplus();
}

std::vector<Entry> Sorter::finish() {
  const auto before = [this](const Row& a, const Row& b) { return is_before(a, b); };
  if (rows_.size() > most_) drop_surplus();
  std::sort(rows_.begin(), rows_.end(), before);
  std::vector<Entry> entries;
  entries.reserve(rows_.size());
  for (const Row& row : rows_) entries.push_back(row.entry);
  return entries;
}

std::weak_ordering Sorter::compare(const SortKey* a, const SortKey* b) const {
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    const auto order = a[i] <=> b[i];
    if (order != 0) return orders_[i].descending ? 0 <=> order : order;
  }
  return std::weak_ordering::equivalent;
}

bool Sorter::is_before(const Row& a, const Row& b) const {
  const auto order = compare(keys_.data() + a.keys, keys_.data() + b.keys);
  return order != 0 ? order < 0 : a.place < b.place;
}

// Keeps the first `most_` rows, in no order, and their keys.
void Sorter::drop_surplus() {
  const auto before = [this](const Row& a, const Row& b) { return is_before(a, b); };
  const auto most = static_cast<std::ptrdiff_t>(most_);
  std::nth_element(rows_.begin(), rows_.begin() + most, rows_.end(), before);
  rows_.resize(most_);
  std::vector<SortKey> kept;
  kept.reserve(rows_.size() * orders_.size());
  for (Row& row : rows_) {
    const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(row.keys);
    row.keys = kept.size();
    kept.insert(kept.end(), first, first + static_cast<std::ptrdiff_t>(orders_.size()));
  }
  keys_ = std::move(kept);
}

}  // namespace doctor::query
