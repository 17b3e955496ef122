#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace doctor::query {

/// An anchored, case-insensitive pattern: `*` any characters, `?` any one, `[a-c]` and `[!a-c]` one
/// of a set or none of it, `{up,down}` either, `\` takes the next literally. Every text is a
/// pattern: an unbalanced bracket is itself. `[]` matches nothing, `[!]` any one character.
///
/// An immutable value whose memory is linear in the pattern; matching takes at most text length
/// times pattern length, whatever they are.
class Glob {
 public:
  explicit Glob(std::string_view pattern);

  /// Whether a condition takes this text for a pattern.
  static bool is_pattern(std::string_view text) {
    return text.find_first_of("*?[{") != std::string_view::npos;
  }

  /// Memory that matching needs; kept by the caller from match to match, for one thread.
  struct Scratch {
    std::vector<std::uint32_t> now, next, pending;
    std::vector<std::uint64_t> seen;  // by state: in which round
    std::uint64_t round = 0;
  };

  /// Whether all of a string matches. @param content  what stands between the quotes of a JSON
  /// string, escapes and all
  bool matches(std::string_view content, Scratch& scratch) const;

  /// How many octets' worth of work one octet of text may cost at most.
  std::size_t weight() const { return 1 + program_.size() / 16; }

 private:
  enum class Op : std::uint8_t {
    character,  // `a` is the folded code point
    any,
    set,    // sets_[a]
    star,   // any number of characters
    split,  // goes on behind itself and at `a`
    jump,   // goes on at `a`
    match,
  };
  struct Instruction {
    Op op;
    std::uint32_t a = 0;
  };
  struct Range {
    std::uint32_t low;
    std::uint32_t high;
  };
  struct Set {
    std::uint32_t first;  // in ranges_
    std::uint32_t last;
    bool negated;
  };
  class Compiler;

  bool takes(const Instruction& instruction, std::uint32_t folded) const;
  bool contains(const Set& set, std::uint32_t c) const;
  bool matches_plain(std::string_view content) const;
  bool matches_branching(std::string_view content, Scratch& scratch) const;
  void enter(std::uint32_t state, Scratch& scratch) const;

  std::vector<Instruction> program_;
  std::vector<Set> sets_;
  std::vector<Range> ranges_;
  bool branches_ = false;
};

}  // namespace doctor::query
