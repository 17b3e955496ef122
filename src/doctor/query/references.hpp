#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/document/view.hpp"
#include "doctor/query/budget.hpp"
#include "doctor/query/plan.hpp"
#include "doctor/query/text_map.hpp"

namespace doctor::query {

using document::DocumentView;
using document::Entry;

/// From documents to those that they refer to, and to those that refer to them, during one run of
/// a query. What was looked up once is remembered.
class References {
 public:
  References(const document::View& view, const Plan& plan, Budget& budget)
      : view_(view),
        plan_(plan),
        budget_(budget),
        collections_(plan.collections.size()),
        links_(plan.links.size()) {}

  /// What those who go through values on its behalf note.
  Budget& budget() { return budget_; }

  /// Whether a value can be a reference: a string, or an integer without fraction and exponent.
  static bool is_reference(std::string_view value);

  /// The document to which `value`, a reference, leads at the end of all `hops`: that of the first
  /// hop's field in some document.
  std::optional<DocumentView> follow(std::span<const Step> hops, std::string_view value);

  /// The documents of a many step, in their order. The caller notes which of them it looks at.
  class Found {
   public:
    Found() = default;
    explicit Found(std::span<const Entry> kept) : kept_(kept) {}
    explicit Found(std::vector<Entry> own) : own_(std::move(own)), kept_(own_) {}
    Found(Found&&) = default;  // a moved vector keeps its elements where they are
    Found& operator=(Found&&) = default;
    auto begin() const { return kept_.begin(); }
    auto end() const { return kept_.end(); }

   private:
    std::vector<Entry> own_;
    std::span<const Entry> kept_;
  };
  Found many(const Step& step, DocumentView document);

 private:
  struct Collection {
    bool known = false;
    std::optional<document::CollectionNumber> number;
    TextMap<std::optional<Entry>> documents;  // by the reference as it is spelt
  };
  // A reverse reference: who refers to what.
  struct Links {
    enum class State : std::uint8_t { unused, indexed, scanned };
    struct Range {
      std::size_t first;
      std::size_t count;
    };
    State state = State::unused;
    TextMap<Range> targets;  // by id; in `entries`
    std::vector<Entry> entries;
    TextMap<std::vector<Entry>> found;  // by id, by an index of the view
  };

  Collection& collection(Slot slot);
  std::optional<Entry> find(Slot slot, std::string_view value);
  Found listed(const Step& step, std::string_view array);
  Found referring(const Step& step, DocumentView document);
  void scan(const Step& step, Links& links);
  std::string_view id_text(std::string_view value);

  const document::View& view_;
  const Plan& plan_;
  Budget& budget_;
  std::vector<Collection> collections_;
  std::vector<Links> links_;
  std::deque<std::string> unescaped_;  // texts that the maps point into
};

}  // namespace doctor::query
