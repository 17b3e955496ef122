#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"

namespace doctor::app {

/// How the objects of an import become documents.
struct ImportRules {
  std::string collection;         ///< empty: each line says its own, as `doctor export` writes them
  std::string id;                 ///< the field whose value becomes the id; empty: `id`
  std::vector<std::string> drop;  ///< top-level fields to leave out
};

struct Document {
  std::string collection;
  std::string text;  ///< compact
};

/// One object of the input as the document to send. Errors have the offset in `object`.
Result<Document> make_document(std::string_view object, const ImportRules& rules);

/// Documents gathered for one request: the array that is its body, and the line of each.
class Batch {
 public:
  /// @param line  in which the document began
  void add(std::string_view document, std::uint64_t line);
  /// The whole array; the batch keeps growing if more is added after it.
  std::string body() const { return body_.empty() ? "[]" : body_ + "]"; }

  std::size_t size() const { return starts_.size(); }
  /// Of the body, if a document of `more` bytes were added.
  std::size_t bytes_with(std::size_t more) const { return body_.size() + more + 2; }
  void clear();

  /// The line of the document at that byte of the body, or of the one with that id; 0 if there is
  /// none.
  std::uint64_t line_of_offset(std::uint64_t offset) const;
  std::uint64_t line_of_id(std::string_view id) const;
  std::uint64_t first_line() const { return starts_.front().line; }
  std::uint64_t last_line() const { return starts_.back().line; }

 private:
  struct Start {
    std::size_t offset;
    std::uint64_t line;
  };
  std::string body_;
  std::vector<Start> starts_;
};

}  // namespace doctor::app
