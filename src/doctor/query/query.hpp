#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/document/view.hpp"

namespace doctor::query {

struct Plan;  // the parsed form, known to this room alone

/// A query as a value: parsed once, run over any view, by any number of threads. Copies are cheap.
class Query {
 public:
  /// No query: whole documents in creation order.
  Query();
  /// @param text        JSON as it was sent; empty or `null`: no query
  /// @param collection  what it asks, for the form of `@[vm]` (a name that may be unknown)
  /// @param single      the query of one document: `select` alone is allowed
  /// Errc::invalid with the place in the query as `field` (`where.$and[1].status`), or the offset.
  /// Errc::too_large over `query_text`.
  static Result<Query> parse(std::string_view text, std::string_view collection, bool single,
                             const Limits& limits);

  /// Every collection whose documents can have a part in the answer, the asked one included: for
  /// the weak ETag of a reader who may read all of them.
  const std::set<std::string>& collections() const;
  /// Whether whole documents are asked in creation order, without any key.
  bool is_plain() const;
  /// The cursor of the key `after`, as it was sent.
  const std::optional<std::string>& after() const;
  /// The same query as compact JSON with `after` set or replaced: what a link to the next page
  /// holds.
  std::string text_after(std::string_view cursor) const;

  const Plan& plan() const { return *plan_; }

 private:
  std::shared_ptr<const Plan> plan_;
};

/// What is known of an answer besides its text.
struct Page {
  /// Behind which document the next page begins, if there is one; not yet encrypted. Empty when
  /// the page is the last, or when the position is longer than `cursor_size` allows.
  std::string next;
  std::optional<std::uint64_t> total;  ///< with `count`
};

/// Appends the answer for a collection, an array, to `out`.
/// @param position  the decrypted `after`, or empty; Errc::invalid if it does not fit the query
/// Errors: Errc::invalid, naming the budget `query_documents`, or Errc::too_large, naming
/// `answer_size`, when it was passed; `out` is then to be thrown away.
Result<Page> list(const document::View& view, std::string_view collection, const Query& query,
                  std::string_view position, const Limits& limits, std::string& out);

/// Appends one document, as the query selects it. Errc::not_found if the view does not show it.
Result<void> one(const document::View& view, std::string_view collection, std::string_view id,
                 const Query& query, const Limits& limits, std::string& out);

}  // namespace doctor::query
