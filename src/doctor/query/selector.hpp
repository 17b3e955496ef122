#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/query/builder.hpp"
#include "doctor/query/place.hpp"
#include "doctor/query/plan.hpp"

namespace doctor::query {

/// A selector as it was written: references, and what stands at their end.
struct Chain {
  enum class End : std::uint8_t { field, star, object };

  std::string key;     // its path, without blanks; the name given with `as`
  bool named = false;  // by an `as`
  std::vector<Step> steps;
  End end = End::field;
  const FieldName* field = nullptr;
  std::vector<Chain> inside;  // of an object

  bool passes_many() const;
};

/// `*`
Chain star_chain();

/// How the step of a reference is written: `@owner:user`, `@[vm]`. Empty parts were not given.
std::string one_text(std::string_view field, std::string_view collection);
std::string many_text(std::string_view collection, std::string_view field);

/// Reads selectors of the short form:
///
///   selector = field / "*" / ref / many
///   ref      = "@" field [ ":" collection ] [ project ]
///   many     = "@[" collection [ ":" field ] "]" [ project ]
///   project  = "." selector / "(" selector *( "," selector ) ")"
///
/// with blanks around names, commas and brackets.
class SelectorReader {
 public:
  /// @param text   unescaped
  /// @param depth  how deep in the query it stands: brackets and `@[...]` count, dots do not
  SelectorReader(std::string_view text, Builder& builder, const Place& place)
      : text_(text), builder_(builder), place_(place) {}

  /// The whole text as one selector, asked of documents of `home`.
  Result<Chain> selector(Slot home, std::uint32_t depth);
  /// The whole text as the path of a condition or an order, which begins with `@`.
  Result<Path> path(Slot home, std::uint32_t depth);

 private:
  struct Reference {
    Step step;
    std::string text;
  };

  Result<Chain> one_selector(Slot home, std::uint32_t depth);
  Result<void> project(Chain& chain, Slot home, std::uint32_t depth);
  // Behind the "@".
  Result<Reference> reference(Slot home);
  Result<std::string_view> name(std::string_view what);
  Result<Slot> collection(std::string_view name, std::string_view advice);
  Result<void> end();

  void skip_blanks();
  bool take(char mark);
  // An error at the current place.
  Error expected(std::string_view what);

  std::string_view text_;
  std::size_t at_ = 0;
  Builder& builder_;
  const Place& place_;
};

}  // namespace doctor::query
