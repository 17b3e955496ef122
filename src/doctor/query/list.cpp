// Lists and single documents: declared in query.hpp.

#include <limits>

#include "doctor/query/cursor.hpp"
#include "doctor/query/query.hpp"
#include "doctor/query/writer.hpp"

namespace doctor::query {
namespace {

using document::CollectionNumber;
using document::DocumentNumber;

// All that one run of a query remembers.
struct Run {
  Run(const document::View& view, const Plan& plan_of_query, const Limits& limits, std::string& out)
      : plan(plan_of_query),
        budget(limits),
        references(view, plan, budget),
        judge(plan, references, budget),
        writer(plan, references, judge, budget, out) {}

  const Plan& plan;
  Budget budget;
  References references;
  Judge judge;
  Writer writer;
};

class List {
 public:
  List(const document::View& view, CollectionNumber collection, const Plan& plan,
       const std::optional<Position>& position, const Limits& limits, std::string& out)
      : view_(view),
        collection_(collection),
        list_(plan.list),
        position_(position),
        limits_(limits),
        run_(view, plan, limits, out),
        limit_(list_.limit.value_or(0)),
        // A page behind another has skipped already.
        skip_(position ? 0 : list_.skip.value_or(0)) {
    if (limit_ == 0) limit_ = std::numeric_limits<std::uint64_t>::max();
  }

  Result<Page> write() {
    run_.writer.put('[');
    list_.orders.empty() ? in_creation_order() : in_order();
    run_.writer.put(']');
    if (run_.budget.spent()) return run_.budget.error();
    Page page;
    if (more_) {
      page.next = position_text(run_.plan, *last_, run_.references);
      if (page.next.size() > longest_position(limits_.cursor_size)) page.next.clear();
    }
    if (run_.plan.count) page.total = total_;
    return page;
  }

 private:
  // Whether the document is one of those that are counted.
  bool matches(const Entry& entry) {
    run_.budget.look();
    return !run_.budget.spent() && (!list_.where || run_.judge.meets(*list_.where, entry.document));
  }

  // Shows a document if it is on this page; notes whether there is one behind the page.
  void show(const Entry& entry) {
    if (skip_ > 0) {
      --skip_;
    } else if (shown_ == limit_) {
      more_ = true;
    } else {
      if (shown_++ > 0) run_.writer.put(',');
      run_.writer.object(run_.plan.select, entry.document);
      last_ = entry;
    }
  }

  void in_creation_order() {
    // Without conditions the view knows how many there are.
    const bool counts = run_.plan.count && list_.where;
    if (run_.plan.count && !list_.where) total_ = view_.info(collection_).count;
    const DocumentNumber behind(position_ ? position_->number.value + 1 : 0);
    const auto walk = view_.walk(collection_, counts ? DocumentNumber{0} : behind);
    while (const auto entry = walk->next()) {
      if (!matches(*entry)) {
        if (run_.budget.spent()) return;
        continue;
      }
      if (counts) ++total_;
      if (!more_ && entry->number >= behind) show(*entry);
      if (more_ && !counts) return;
    }
  }

  void in_order() {
    constexpr auto all = std::numeric_limits<std::uint64_t>::max();
    // One more than the page has tells whether there is another.
    const std::uint64_t most = limit_ == all ? all : skip_ + limit_ + 1;
    Sorter sorter(list_.orders, most, run_.references);
    if (position_) sorter.begin_behind(position_->keys, position_->number);
    const auto walk = view_.walk(collection_, DocumentNumber{0});
    while (const auto entry = walk->next()) {
      const bool matching = matches(*entry);
      if (run_.budget.spent()) return;
      if (!matching) continue;
      ++total_;
      sorter.add(*entry);
    }
    for (const Entry& entry : sorter.finish()) {
      if (run_.budget.spent()) return;
      show(entry);
    }
  }

  const document::View& view_;
  CollectionNumber collection_;
  const Refinement& list_;
  const std::optional<Position>& position_;
  const Limits& limits_;
  Run run_;
  std::uint64_t limit_;
  std::uint64_t skip_;
  std::uint64_t shown_ = 0;
  std::uint64_t total_ = 0;
  bool more_ = false;
  std::optional<Entry> last_;
};

}  // namespace

Result<Page> list(const document::View& view, std::string_view collection, const Query& query,
                  std::string_view position, const Limits& limits, std::string& out) {
  const Plan& plan = query.plan();
  std::optional<Position> behind;
  if (!position.empty()) {
    auto parsed = parse_position(position, plan);
    if (!parsed) return parsed.error();
    behind = std::move(*parsed);
  }
  if (const auto number = view.collection(collection)) {
    return List(view, *number, plan, behind, limits, out).write();
  }
  out += "[]";
  Page page;
  if (plan.count) page.total = 0;
  return page;
}

Result<void> one(const document::View& view, std::string_view collection, std::string_view id,
                 const Query& query, const Limits& limits, std::string& out) {
  const auto number = view.collection(collection);
  const auto entry = number ? view.find(*number, id) : std::nullopt;
  if (!entry) return error(Errc::not_found, "there is no such document");
  Run run(view, query.plan(), limits, out);
  run.writer.object(query.plan().select, entry->document);
  if (run.budget.spent()) return run.budget.error();
  return {};
}

}  // namespace doctor::query
