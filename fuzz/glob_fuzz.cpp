// Globs match as a matcher does that tries everything.
//
//   input = pattern, a newline, text; both ASCII

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/json/value.hpp"
#include "doctor/query/glob.hpp"

namespace {

using Places = std::set<std::size_t>;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

// Reads the pattern anew at each place of the text.
class Naive {
 public:
  Naive(std::string_view pattern, std::string_view text) : pattern_(pattern), text_(text) {}

  bool matches() const { return after(0, pattern_.size(), {0}).contains(text_.size()); }

 private:
  // The place of the bracket that closes the set opened at `at`.
  std::optional<std::size_t> set_end(std::size_t at, std::size_t end) const {
    for (++at; at < end; ++at) {
      if (pattern_[at] == '\\') {
        ++at;
      } else if (pattern_[at] == ']') {
        return at;
      }
    }
    return std::nullopt;
  }

  // The commas of the brace opened at `at`, and at last the brace that closes it.
  std::optional<std::vector<std::size_t>> brace(std::size_t at) const {
    std::vector<std::size_t> marks;
    int depth = 0;
    for (; at < pattern_.size(); ++at) {
      const char c = pattern_[at];
      if (c == '\\') {
        ++at;
      } else if (c == '[') {
        at = set_end(at, pattern_.size()).value_or(at);
      } else if (c == '{') {
        ++depth;
      } else if (c == ',' && depth == 1) {
        marks.push_back(at);
      } else if (c == '}' && --depth == 0) {
        marks.push_back(at);
        return marks;
      }
    }
    return std::nullopt;
  }

  bool in_set(char c, std::size_t at, std::size_t end) const {
    const bool negated = at < end && pattern_[at] == '!';
    if (negated) ++at;
    bool in = false;
    while (at < end) {
      const auto letter = [&] {
        if (pattern_[at] == '\\') ++at;
        return pattern_[at++];
      };
      const char low = letter();
      char high = low;
      if (end - at >= 2 && pattern_[at] == '-') {
        ++at;
        high = letter();
      }
      for (const char one : {lower(c), upper(c)}) in |= low <= one && one <= high;
    }
    return in != negated;
  }

  template <class F>
  Places step(const Places& from, F takes) const {
    Places to;
    for (const std::size_t place : from) {
      if (place < text_.size() && takes(text_[place])) to.insert(place + 1);
    }
    return to;
  }

  // Where the text may be after the pattern from `at` to `end`.
  Places after(std::size_t at, std::size_t end, Places places) const {
    while (at < end) {
      char c = pattern_[at];
      if (c == '*') {
        if (!places.empty()) {
          for (std::size_t p = *places.begin(); p <= text_.size(); ++p) places.insert(p);
        }
        ++at;
        continue;
      }
      if (c == '?') {
        places = step(places, [](char) { return true; });
        ++at;
        continue;
      }
      if (c == '[') {
        if (const auto close = set_end(at, end)) {
          places = step(places, [&](char x) { return in_set(x, at + 1, *close); });
          at = *close + 1;
          continue;
        }
      }
      if (c == '{') {
        if (const auto marks = brace(at)) {
          Places all;
          std::size_t begin = at + 1;
          for (const std::size_t mark : *marks) {
            all.merge(after(begin, mark, places));
            begin = mark + 1;
          }
          places = std::move(all);
          at = begin;
          continue;
        }
      }
      if (c == '\\' && at + 1 < end) c = pattern_[++at];
      places = step(places, [c](char x) { return lower(x) == lower(c); });
      ++at;
    }
    return places;
  }

  std::string_view pattern_;
  std::string_view text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64) return 0;
  std::string input(reinterpret_cast<const char*>(data), size);
  for (char& c : input) c = static_cast<char>(c & 0x7F);
  const auto split = std::min(input.find('\n'), input.size());
  const std::string pattern = input.substr(0, split);
  const std::string text = input.substr(std::min(split + 1, input.size()));

  const std::string quoted = doctor::json::quoted(text);
  doctor::query::Glob::Scratch scratch;
  const bool matches = doctor::query::Glob(pattern).matches(doctor::json::content(quoted), scratch);
  if (matches != Naive(pattern, text).matches()) std::abort();
  return 0;
}
