#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "doctor/query/plan.hpp"
#include "doctor/query/references.hpp"

namespace doctor::query {

/// A value as it is ordered: missing and null first, then false, true, numbers, strings by code
/// point, then everything else. Points into the value's text.
class SortKey {
 public:
  SortKey() = default;
  explicit SortKey(std::optional<std::string_view> value);

  friend std::weak_ordering operator<=>(const SortKey& a, const SortKey& b);
  friend bool operator==(const SortKey& a, const SortKey& b) { return a <=> b == 0; }

 private:
  enum class Rank : std::uint8_t { null, no, yes, number, string, other };

  std::string_view text_;
  // Numbers and strings whose prefixes differ stand as these do; else their texts are compared.
  std::uint64_t prefix_ = 0;
  Rank rank_ = Rank::null;
};

/// The value by which an order sorts a document; none if it is missing.
std::optional<std::string_view> value_of(const Order& order, DocumentView document,
                                         References& references);

/// Puts documents in order, those with equal keys in the order in which they came, and keeps only
/// the first `most` of them.
class Sorter {
 public:
  Sorter(const std::vector<Order>& orders, std::uint64_t most, References& references)
      : orders_(orders), most_(most), references_(references) {}

  /// The keys of the document that was last on the page before, and its place: only what comes
  /// behind it is taken, and ties are documents in creation order.
  void begin_behind(std::vector<SortKey> keys, document::DocumentNumber number) {
    behind_ = std::move(keys);
    behind_number_ = number;
  }

  void add(const Entry& entry);
  /// The documents in order; the sorter is spent.
  std::vector<Entry> finish();

 private:
  struct Row {
    Entry entry;
    std::size_t keys;   // its first key, in keys_
    std::size_t place;  // when it came
  };

  std::weak_ordering compare(const SortKey* a, const SortKey* b) const;
  bool is_before(const Row& a, const Row& b) const;
  void drop_surplus();

  const std::vector<Order>& orders_;
  std::uint64_t most_;
  References& references_;
  std::vector<Row> rows_;
  std::vector<SortKey> keys_;
  std::size_t count_ = 0;
  std::vector<SortKey> behind_;
  document::DocumentNumber behind_number_;
};

}  // namespace doctor::query
