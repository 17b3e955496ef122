#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/query/budget.hpp"
#include "doctor/query/condition.hpp"
#include "doctor/query/plan.hpp"
#include "doctor/query/references.hpp"
#include "doctor/query/text_map.hpp"

namespace doctor::query {

/// Writes what a query selects of documents, from their stored text into the answer. What stands
/// at the end of a reference is written once; where the same document is referred to again, that
/// part of the answer is copied.
class Writer {
 public:
  /// @param out  only this writer may change what it has appended to it
  Writer(const Plan& plan, References& references, Judge& judge, Budget& budget, std::string& out)
      : references_(references),
        judge_(judge),
        budget_(budget),
        out_(out),
        begin_(out.size()),
        written_(plan.edges) {}

  void object(const Object& object, DocumentView document);
  /// Appends text, unless the answer becomes too long: then the budget is spent.
  void put(std::string_view text);
  void put(char c) { put(std::string_view(&c, 1)); }

 private:
  // A part of the answer, without the comma behind it.
  struct Range {
    std::size_t first;
    std::size_t size;
  };

  void members(const std::vector<Member>& members, DocumentView document);
  void member(const Member& member, DocumentView document);
  void star(const Member& member, DocumentView document);
  void edge(const Edge& edge, DocumentView document);
  void many(const Many& many, DocumentView document);
  void refined(const Many& many, const Refinement& refinement, const References::Found& found);
  bool value(const Value& value, DocumentView document);
  bool value_here(const Value& value, DocumentView document);
  void element(const Value& value, DocumentView document);

  void copy(Range range);
  void remember(TextMap<Range>& written, std::string_view reference, std::size_t first,
                std::size_t last);
  // Ends an object or array that began at `first`: its last comma becomes the bracket.
  void close(std::size_t first, char bracket);
  void drop_repeated(std::size_t first);

  References& references_;
  Judge& judge_;
  Budget& budget_;
  std::string& out_;
  std::size_t begin_;
  std::vector<TextMap<Range>> written_;
  int moving_ = 0;  // within objects whose text may still move: nothing is remembered there
};

}  // namespace doctor::query
