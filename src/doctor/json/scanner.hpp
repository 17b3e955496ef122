#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/json/keys.hpp"

namespace doctor::json {

/// A member of an object that was taken: its name as it was sent, between its quotes.
struct Taken {
  std::size_t name_at;  ///< in what was written
  std::size_t name_length;
  std::uint32_t name_hash;  ///< of the name, unescaped
  bool escaped;             ///< the name was spelt with escapes
  std::size_t offset;       ///< in what was read
};

/// Reads text from a peer strictly (RFC 8259) and writes what it read in compact spelling, in one
/// pass: white space outside strings is dropped, every other octet is kept as it was sent. What
/// passes here passes every strict parser: numbers and literals letter by letter, escapes and
/// surrogate pairs, UTF-8, no key twice in one object after unescaping, numbers of at most 1 024
/// digits before the exponent and |exponent| <= 1 000 000. Nothing is nested deeper than
/// `deepest`, whatever is asked for.
///
/// Each error has the byte offset in `text` at which it was found, and is Errc::invalid.
///
/// The scanner itself does not validate UTF-8: construct it over text for which `check_utf8`
/// succeeded (one fast pass over the whole body).
class Scanner {
 public:
  static constexpr std::uint32_t deepest = 1024;  ///< what common parsers go along with

  explicit Scanner(std::string_view text) : text_(text) {}

  /// Skips white space; the next octet, or '\0' at the end of the text.
  char peek();
  std::size_t offset() const { return at_; }
  std::string_view text() const { return text_; }

  /// Takes `c` if it is next (after white space).
  bool take(char c);
  /// An error unless only white space is left.
  Result<void> end();

  /// Takes one value of any kind and appends its compact spelling to `out`.
  /// @param depth  how many levels of objects and arrays the value may open; 0: scalars only
  Result<void> value(std::string& out, std::uint32_t depth);
  /// Takes an object, as `value` does, and tells its own members, not those within them.
  /// @param members  what was in it is replaced
  Result<void> object(std::string& out, std::uint32_t depth, std::vector<Taken>& members);

  /// An error at the next octet, which is not what is expected (`"':'"`).
  Error unexpected(std::string_view expected);
  /// An error at the current (or the given) offset.
  Error fail(std::string detail) const { return fail_at(at_, std::move(detail)); }
  static Error fail_at(std::size_t offset, std::string detail);

 private:
  class Reader;

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Key> keys_;  // of the objects that are open; kept for its memory
};

/// Errc::invalid with the offset of the first octet that is not UTF-8.
Result<void> check_utf8(std::string_view text);

/// The compact spelling of the one value in `text`: check_utf8, value, end.
Result<std::string> compact(std::string_view text, std::uint32_t depth);

}  // namespace doctor::json
