#pragma once

#include <string_view>
#include <vector>

#include "doctor/document/document.hpp"
#include "doctor/query/budget.hpp"
#include "doctor/query/plan.hpp"
#include "doctor/query/references.hpp"
#include "doctor/query/text_map.hpp"

namespace doctor::query {

/// Judges conditions during one run. What a condition says of the document at the end of a
/// reference is judged once for each such document.
class Judge {
 public:
  Judge(const Plan& plan, References& references, Budget& budget)
      : references_(references), budget_(budget), verdicts_(plan.tests) {}

  /// Whether a document meets it. Anything, once the budget is spent.
  bool meets(const Condition& condition, DocumentView document);

 private:
  bool holds(const Group& group, DocumentView document);
  bool holds(const Test& test, DocumentView document);
  bool all_hold(const std::vector<Predicate>& predicates, const Path& path, DocumentView document);
  bool holds(const Predicate& predicate, const Path& path, DocumentView document);

  bool satisfies(const Equal& equal, const Path& path, DocumentView document);
  bool satisfies(const Among& among, const Path& path, DocumentView document);
  bool satisfies(const Ordered& ordered, const Path& path, DocumentView document);
  bool satisfies(const Exists& exists, const Path& path, DocumentView document);
  bool satisfies(const Glob& glob, const Path& path, DocumentView document);
  bool satisfies(const All& all, const Path& path, DocumentView document);
  bool satisfies(const Meets& meets, const Path& path, DocumentView document);

  bool contains(const Among& among, std::string_view value);

  // Whether `found` is true of any document that the path leads to, or any value there.
  template <class F>
  bool any_document(const Path& path, std::size_t step, DocumentView document, F& found);
  template <class F>
  bool any_value(const Path& path, DocumentView document, F found);
  template <class F>
  bool any_within(const Path& path, std::size_t name, std::string_view value, F& found);

  References& references_;
  Budget& budget_;
  std::vector<TextMap<bool>> verdicts_;
  Glob::Scratch scratch_;
};

}  // namespace doctor::query
