#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/document/document.hpp"
#include "doctor/document/layout.hpp"
#include "doctor/json/keys.hpp"

namespace doctor::document {

/// An id as an error may show it: that of a session is a secret.
std::string shown_id(IdRule rule, const std::string& id);

/// Makes documents field by field, one after another; what it needs for one serves for the next.
///
/// What is wrong with the content of a document (a name, the id, a limit) is noted and told by
/// `finish`, so that the rest of the text is still judged for its syntax, which comes first.
class Builder {
 public:
  Builder(IdRule rule, const Limits& limits) : rule_(rule), limits_(limits) {}

  /// @param offset  where in the request the document begins, for errors; none if it was made of a
  ///                patch
  void start(std::optional<std::size_t> offset);
  /// Begins a field; its value, compact, is to be appended to `text()`.
  /// @param spelling  the name as it was sent, between its quotes
  /// @param offset    where it stands in the request
  void begin_field(std::string_view spelling, std::size_t offset);
  std::string& text() { return text_; }
  void end_field();
  /// Starts with all fields of a compact object that was checked for its syntax.
  void add_all(std::string_view compact_object);

  /// The first name that stands here a second time: an error of syntax, with its offset. Nothing
  /// if another fault is noted, which `finish` will tell.
  Result<void> check_repeated();

  /// @param path_id  see ParseOptions
  Result<Document> finish(std::optional<std::string_view> path_id);

  /// Fills in which document it was, if that is known, and which field.
  Error placed(Error failure) const;

 private:
  void note(Error failure);
  void take_id();
  std::optional<Error> judge_id(std::optional<std::string_view> path_id) const;
  std::string assemble(std::string_view id_first) const;

  IdRule rule_;
  Limits limits_;
  std::optional<std::size_t> offset_;
  std::string text_;
  std::vector<layout::Entry> entries_;
  std::vector<std::size_t> offsets_;  // of the names, in what was sent
  std::vector<json::Key> keys_;
  std::size_t value_at_ = 0;
  bool in_id_ = false;
  std::optional<std::string> id_;
  std::size_t id_field_ = 0;
  std::optional<Error> fault_;
};

}  // namespace doctor::document
