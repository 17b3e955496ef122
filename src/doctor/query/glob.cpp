#include "doctor/query/glob.hpp"

#include <algorithm>

#include "doctor/json/value.hpp"
#include "doctor/query/case_fold.hpp"

namespace doctor::query {
namespace {

// The code point at `at` of well-formed UTF-8; moves behind it.
std::uint32_t decode(const char*& at) {
  const auto octet = [&] { return static_cast<unsigned char>(*at++); };
  const std::uint32_t first = octet();
  if (first < 0x80) return first;
  int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  std::uint32_t c = first & (0x3Fu >> more);
  while (more-- > 0) c = c << 6 | (octet() & 0x3Fu);
  return c;
}

// The folded characters of a JSON string's content, one by one.
class Characters {
 public:
  explicit Characters(std::string_view content)
      : at_(content.data()), end_(content.data() + content.size()) {}

  bool done() const { return at_ == end_; }
  std::uint32_t next() {
    if (*at_ == '\\') return fold_case(next_escaped());
    return fold_case(decode(at_));
  }

 private:
  std::uint32_t next_escaped() {
    std::size_t length = 2;
    if (at_[1] == 'u') {
      const bool pair = (at_[2] | 0x20) == 'd' && at_[3] >= '8' && at_[3] != '9';
      length = pair ? 12 : 6;
    }
    const std::string text = json::unescape({at_, length});
    at_ += length;
    const char* first = text.data();
    return decode(first);
  }

  const char* at_;
  const char* end_;
};

}  // namespace

// Reads a pattern twice: once to see which brackets have their partner, once to write the program.
class Glob::Compiler {
 public:
  Compiler(Glob& glob, std::string_view pattern) : glob_(glob) {
    // Whether a character is escaped does not depend on the brackets around it.
    const char* at = pattern.data();
    const char* end = at + pattern.size();
    letters_.reserve(pattern.size());
    while (at != end) {
      const bool escaped = *at == '\\' && at + 1 != end;
      if (escaped) ++at;
      letters_.push_back({decode(at), escaped});
    }
  }

  void run() {
    pair_brackets();
    for (std::size_t at = 0; at < letters_.size();) at = translate(at);
    emit(Op::match);
  }

 private:
  struct Letter {
    std::uint32_t c;
    bool escaped;
    bool paired = false;  // a `{`, a `}`, or the `[` of a set, that has its partner
    bool is(char mark) const { return !escaped && c == static_cast<std::uint32_t>(mark); }
  };
  // An open brace: its alternatives so far.
  struct Alternatives {
    std::uint32_t split;  // before the one that is being written
    std::uint32_t jumps;  // the last of a list of jumps to the end, linked by `a`; 0: none
  };

  std::size_t set_end(std::size_t open) const {
    // Computed once from the back: the next plain `]` from each place on.
    return next_close_[open + 1];
  }

  void pair_brackets() {
    const std::size_t size = letters_.size();
    next_close_.assign(size + 1, size);
    for (std::size_t i = size; i-- > 0;) {
      next_close_[i] = letters_[i].is(']') ? i : next_close_[i + 1];
    }
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < size; ++i) {
      if (letters_[i].is('[') && set_end(i) != size) {
        letters_[i].paired = true;
        i = set_end(i);
      } else if (letters_[i].is('{')) {
        open.push_back(i);
      } else if (letters_[i].is('}') && !open.empty()) {
        letters_[i].paired = letters_[open.back()].paired = true;
        open.pop_back();
      }
    }
  }

  std::uint32_t here() const { return static_cast<std::uint32_t>(glob_.program_.size()); }
  std::uint32_t emit(Op op, std::uint32_t a = 0) {
    glob_.program_.push_back({op, a});
    return here() - 1;
  }

  // Translates what begins at `at`; the place behind it.
  std::size_t translate(std::size_t at) {
    const Letter& letter = letters_[at];
    if (letter.is('*')) {
      if (glob_.program_.empty() || glob_.program_.back().op != Op::star) emit(Op::star);
    } else if (letter.is('?')) {
      emit(Op::any);
    } else if (letter.is('[') && letter.paired) {
      set(at + 1, set_end(at));
      return set_end(at) + 1;
    } else if (letter.is('{') && letter.paired) {
      glob_.branches_ = true;
      open_.push_back({emit(Op::split), 0});
    } else if (letter.is(',') && !open_.empty()) {
      Alternatives& all = open_.back();
      all.jumps = emit(Op::jump, all.jumps);
      glob_.program_[all.split].a = here();
      all.split = emit(Op::split);
    } else if (letter.is('}') && letter.paired) {
      close();
    } else {
      emit(Op::character, fold_case(letter.c));
    }
    return at + 1;
  }

  void close() {
    const Alternatives all = open_.back();
    open_.pop_back();
    // Behind the last alternative there is no other to split to.
    glob_.program_[all.split] = {Op::jump, all.split + 1};
    for (std::uint32_t jump = all.jumps; jump != 0;) {
      const std::uint32_t before = glob_.program_[jump].a;
      glob_.program_[jump].a = here();
      jump = before;
    }
    // So that a star behind the brace is not taken for one within it.
    emit(Op::jump, here() + 1);
  }

  void set(std::size_t at, std::size_t end) {
    const bool negated = at != end && letters_[at].is('!');
    if (negated) ++at;
    const auto first = static_cast<std::uint32_t>(glob_.ranges_.size());
    while (at != end) {
      const std::uint32_t low = letters_[at].c;
      if (end - at > 2 && letters_[at + 1].is('-')) {
        glob_.ranges_.push_back({low, letters_[at + 2].c});
        at += 3;
      } else {
        glob_.ranges_.push_back({low, low});
        ++at;
      }
    }
    const auto last = static_cast<std::uint32_t>(glob_.ranges_.size());
    emit(Op::set, static_cast<std::uint32_t>(glob_.sets_.size()));
    glob_.sets_.push_back({first, last, negated});
  }

  Glob& glob_;
  std::vector<Letter> letters_;
  std::vector<std::size_t> next_close_;
  std::vector<Alternatives> open_;
};

Glob::Glob(std::string_view pattern) {
  Compiler(*this, pattern).run();
}

bool Glob::contains(const Set& set, std::uint32_t c) const {
  return std::any_of(ranges_.begin() + set.first, ranges_.begin() + set.last,
                     [c](const Range& range) { return range.low <= c && c <= range.high; });
}

bool Glob::takes(const Instruction& instruction, std::uint32_t folded) const {
  switch (instruction.op) {
    case Op::character:
      return instruction.a == folded;
    case Op::any:
    case Op::star:
      return true;
    case Op::set: {
      const Set& set = sets_[instruction.a];
      if (contains(set, folded)) return !set.negated;
      std::uint32_t others[3];
      const int count = unfold_case(folded, others);
      const bool in = std::any_of(others, others + count,
                                  [&](std::uint32_t other) { return contains(set, other); });
      return in != set.negated;
    }
    default:
      return false;
  }
}

bool Glob::matches(std::string_view content, Scratch& scratch) const {
  return branches_ ? matches_branching(content, scratch) : matches_plain(content);
}

// Without braces only the last star that was passed can take more than it did.
bool Glob::matches_plain(std::string_view content) const {
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  Characters text(content);
  Characters star_text(content);
  std::size_t state = 0;
  std::size_t star = none;
  for (;;) {
    if (program_[state].op == Op::star) {
      star = state++;
      star_text = text;
      continue;
    }
    if (text.done()) break;
    if (takes(program_[state], text.next())) {
      ++state;
    } else if (star != none) {
      star_text.next();
      text = star_text;
      state = star + 1;
    } else {
      return false;
    }
  }
  return program_[state].op == Op::match;
}

// Enters a state and all that it leads to without taking a character.
void Glob::enter(std::uint32_t state, Scratch& scratch) const {
  scratch.pending.push_back(state);
  while (!scratch.pending.empty()) {
    const std::uint32_t at = scratch.pending.back();
    scratch.pending.pop_back();
    if (scratch.seen[at] == scratch.round) continue;
    scratch.seen[at] = scratch.round;
    switch (program_[at].op) {
      case Op::split:
        scratch.pending.push_back(program_[at].a);
        scratch.pending.push_back(at + 1);
        break;
      case Op::jump:
        scratch.pending.push_back(program_[at].a);
        break;
      case Op::star:
        scratch.pending.push_back(at + 1);
        scratch.next.push_back(at);
        break;
      default:
        scratch.next.push_back(at);
    }
  }
}

// All the states that the text read so far may lead to, in step.
bool Glob::matches_branching(std::string_view content, Scratch& scratch) const {
  if (scratch.seen.size() < program_.size()) scratch.seen.resize(program_.size());
  scratch.next.clear();
  ++scratch.round;
  enter(0, scratch);
  for (Characters text(content); !text.done();) {
    const std::uint32_t c = text.next();
    std::swap(scratch.now, scratch.next);
    scratch.next.clear();
    ++scratch.round;
    for (const std::uint32_t state : scratch.now) {
      const Instruction& instruction = program_[state];
      if (takes(instruction, c)) enter(instruction.op == Op::star ? state : state + 1, scratch);
    }
    if (scratch.next.empty()) return false;
  }
  return std::any_of(scratch.next.begin(), scratch.next.end(),
                     [this](std::uint32_t state) { return program_[state].op == Op::match; });
}

}  // namespace doctor::query
