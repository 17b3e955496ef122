#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/base/strong.hpp"
#include "doctor/document/names.hpp"

namespace doctor::document {

/// The number of a commit: 1 for the first, then +1; 0 before the first. One sequence for the
/// whole store.
using Revision = Strong<struct RevisionTag, std::uint64_t>;

struct Field {
  std::string_view spelling;  ///< the name as it stands in the text, between its quotes
  std::string_view value;     ///< compact JSON
};

/// A document as it is stored, seen in place: a table of its top-level fields and its compact text
/// (docs/formats/document.md gives every byte). Copies nothing and owns nothing: the bytes must
/// outlive it (a snapshot's map, or a Document). In the text, names of top-level fields and the
/// value of `id` have their one minimal spelling, so that they are compared as bytes; everything
/// else is as it was sent, without white space.
class DocumentView {
 public:
  DocumentView() = default;
  /// Trusts the bytes: they were made by Document. See `verify` for bytes from a suspect disk.
  explicit DocumentView(std::string_view stored) : stored_(stored) {}

  /// The last revision that changed it.
  Revision revision() const;
  std::string_view text() const;
  std::string_view stored() const { return stored_; }

  std::size_t field_count() const;
  Field field(std::size_t index) const;
  /// The value of a field, or nothing.
  std::optional<std::string_view> find(const FieldName& name) const;

  /// The value of the field `id`: a string with quotes.
  std::string_view id_value() const;
  /// The id itself, unescaped.
  std::string id() const;

 private:
  Field field_at(std::size_t index, std::size_t count) const;

  std::string_view stored_;
};

/// Checks that stored bytes are a document: table, text and each other. For `doctor check`.
Result<void> verify(std::string_view stored);

/// Which ids are good: those of documents or those of sessions.
enum class IdRule : std::uint8_t { document, session };

/// A document in memory; an immutable value but for its revision, which the commit gives it.
class Document {
 public:
  /// @param compact_object  what would pass parse_document: a fault in it is a bug, and throws
  static Document of_checked(std::string_view compact_object);

  DocumentView view() const { return DocumentView(stored_); }
  const std::string& stored() const { return stored_; }
  std::string id() const { return view().id(); }
  void set_revision(Revision revision);

 private:
  friend class Builder;
  explicit Document(std::string stored) : stored_(std::move(stored)) {}

  std::string stored_;
};

struct ParseOptions {
  IdRule rule = IdRule::document;
  /// The id from the path: the body's may be left out (then it is put first) and must match if
  /// present. Without it the body must have one.
  std::optional<std::string_view> path_id{};
};

/// Reads one document from the body of a request. Errors: Errc::invalid with offset or field, or
/// Errc::too_large; the limit that was passed is named.
Result<Document> parse_document(std::string_view body, const ParseOptions& options,
                                const Limits& limits);

/// Reads an array of documents. No id may occur twice; errors carry the `id` of the document in
/// which they were found, where it is known.
Result<std::vector<Document>> parse_documents(std::string_view body, IdRule rule,
                                              const Limits& limits);

/// The first significant octet of a body: '{', '[', another, or '\0' if it is empty.
char first_octet(std::string_view body);

/// The names (unescaped) of the top-level fields that were added, differ or are gone: those of
/// `after` in its order, then the dropped ones in the order of `before`. `id` is never among them.
/// Empty: the two are the same document.
std::vector<std::string> changed_fields(DocumentView before, DocumentView after);

enum class PatchKind : std::uint8_t { shallow, merge, json_patch };

/// A patch as it was sent, its syntax checked (RFC 6902: the form of all operations as well).
class Patch {
 public:
  /// Errc::invalid, with the offset where there is one.
  static Result<Patch> parse(PatchKind kind, std::string_view body, const Limits& limits);

  struct Patched {
    Document document;
    /// In the order in which the patch speaks of them, dropped ones last.
    std::vector<std::string> changed;
  };
  /// The document after the patch, checked as in a PUT: Errc::invalid (a field name, a changed
  /// id), Errc::conflict (RFC 6902), Errc::too_large. `changed` is empty if nothing differs.
  Result<Patched> apply(DocumentView before, IdRule rule, const Limits& limits) const;

 private:
  Patch(PatchKind kind, std::string text) : kind_(kind), text_(std::move(text)) {}

  PatchKind kind_;
  std::string text_;  // compact
};

}  // namespace doctor::document
