#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/document/document.hpp"
#include "doctor/json/scanner.hpp"

namespace doctor::document {

/// The id that a value stands for: a string, or an integer's decimal text; else nothing. Whether it
/// is a good one is for others to judge.
std::optional<std::string> id_in(std::string_view value);

/// An id as an error may show it: that of a session is a secret.
std::string shown_id(IdRule rule, const std::string& id);

/// Makes documents of objects, one after another; what it needs for one serves for the next.
///
/// `take` judges the syntax, `finish` the content (names, the id, limits): a request is judged
/// for the syntax of all of it first.
class Builder {
 public:
  Builder(IdRule rule, const Limits& limits) : rule_(rule), limits_(limits) {}

  /// Takes the object that is next. An error has its offset, and the document's id if that stood
  /// before it.
  Result<void> take(json::Scanner& scanner);
  /// Takes a compact object that was checked for its syntax. Errors will have no offset.
  void take_checked(std::string_view object);

  /// The document made of what was taken.
  /// @param path_id  see ParseOptions
  Result<Document> finish(std::optional<std::string_view> path_id);

 private:
  std::string_view name(std::size_t member) const;
  std::string_view value(std::size_t member) const;
  Result<void> check_names();
  Result<void> check_id(std::optional<std::string_view> path_id);
  Result<void> check_limits() const;
  void spell_minimally();
  std::string assemble() const;
  Error placed(Error failure) const;

  IdRule rule_;
  Limits limits_;
  std::optional<std::size_t> offset_;  // in the request
  std::string text_;
  std::vector<json::Taken> members_;
  std::optional<std::size_t> id_member_;
  std::string id_;        // unescaped; empty if unknown
  bool minimal_ = false;  // names and id are spelt minimally, and the id is there
};

}  // namespace doctor::document
