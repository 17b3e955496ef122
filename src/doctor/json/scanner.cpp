#include "doctor/json/scanner.hpp"

#include <algorithm>
#include <forward_list>

#include <simdjson.h>

#include "doctor/base/text.hpp"
#include "doctor/json/octets.hpp"
#include "doctor/json/value.hpp"

namespace doctor::json {
namespace {

constexpr std::size_t max_digits = 1024;
constexpr std::int64_t max_exponent = 1'000'000;

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string shown(char c) {
  if (c > ' ' && c < 0x7F) return std::string("'") + c + "'";
  constexpr std::string_view digits = "0123456789abcdef";
  const auto octet = static_cast<unsigned char>(c);
  return std::string("octet 0x") + digits[octet >> 4] + digits[octet & 15];
}

std::string misfit(const char* at, const char* end, std::string_view expected) {
  return (at == end ? "the text ends" : shown(*at)) + " where " + std::string(expected) +
         " is expected";
}

// Reads one value. What is to be kept is gathered in runs and copied only where a blank is left
// out, so that compact text is copied in one piece. Every function leaves `at_` behind what it
// took, or notes what is wrong and returns false.
class Reader {
 public:
  Reader(std::string_view text, std::size_t at, std::string& out, std::vector<Key>& keys)
      : begin_(text.data()),
        end_(text.data() + text.size()),
        at_(begin_ + at),
        run_(at_),
        out_(out),
        keys_(keys) {}

  bool value(std::uint32_t depth) {
    if (at_ == end_) return expected("a value");
    switch (*at_) {
      case '"':
        return string();
      case '{':
        return depth > 0 ? object(depth - 1) : too_deep();
      case '[':
        return depth > 0 ? array(depth - 1) : too_deep();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }

  bool string() {
    ++at_;
    for (;;) {
      at_ = find_special(at_, end_);
      if (at_ == end_) return wrong(at_, "the text ends within a string");
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      if (*at_ != '\\') return wrong(at_, "a control character in a string must be escaped");
      if (!escape()) return false;
    }
  }

  // Drops blanks.
  void skip() {
    if (at_ == end_ || static_cast<unsigned char>(*at_) > ' ') return;
    flush();
    while (at_ != end_ && is_blank(*at_)) ++at_;
    run_ = at_;
  }

  void flush() { out_.append(run_, static_cast<std::size_t>(at_ - run_)); }

  std::size_t offset() const { return offset_of(at_); }
  Error failure() const { return Scanner::fail_at(offset_of(wrong_at_), detail_); }

 private:
  std::size_t offset_of(const char* place) const {
    return static_cast<std::size_t>(place - begin_);
  }

  bool wrong(const char* place, std::string detail) {
    wrong_at_ = place;
    detail_ = std::move(detail);
    return false;
  }
  bool too_deep() { return wrong(at_, "the text is nested too deeply (limit nesting)"); }

  bool expected(std::string_view what) { return wrong(at_, misfit(at_, end_, what)); }

  bool literal(std::string_view word) {
    const auto left = static_cast<std::size_t>(end_ - at_);
    for (std::size_t i = 0; i < word.size(); ++i, ++at_) {
      if (i == left || *at_ != word[i]) return expected("the literal " + std::string(word));
    }
    return true;
  }

  std::size_t digits() {
    const char* first = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return static_cast<std::size_t>(at_ - first);
  }

  bool number() {
    const char* first = at_;
    if (*at_ == '-') ++at_;
    if (at_ == end_ || !is_digit(*at_)) {
      return expected(at_ == first ? "a value" : "a digit");
    }
    std::size_t count = 1;
    if (*at_ == '0') {
      ++at_;
      if (at_ != end_ && is_digit(*at_)) return wrong(at_, "a number must not begin with 0");
    } else {
      count = digits();
    }
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      const std::size_t fraction = digits();
      if (fraction == 0) return expected("a digit");
      count += fraction;
    }
    if (count > max_digits) return wrong(first, "a number has more than 1024 digits");
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) return exponent(first);
    return true;
  }

  bool exponent(const char* number) {
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (at_ == end_ || !is_digit(*at_)) return expected("a digit");
    std::int64_t value = 0;
    for (; at_ != end_ && is_digit(*at_); ++at_) {
      value = std::min(value * 10 + (*at_ - '0'), max_exponent + 1);
    }
    if (value > max_exponent) return wrong(number, "a number's exponent is beyond 1000000");
    return true;
  }

  // The four digits of \uXXXX; -1 with the failure noted.
  int unit() {
    int value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int digit = at_ == end_ ? -1 : hex_value(*at_);
      if (digit < 0) {
        expected("a hexadecimal digit");
        return -1;
      }
      value = value * 16 + digit;
    }
    return value;
  }

  bool escape() {
    const char* first = at_++;
    if (at_ == end_) return wrong(at_, "the text ends within a string");
    const char letter = *at_;
    if (letter != 'u') {
      constexpr std::string_view letters = "\"\\/bfnrt";
      if (letters.find(letter) == std::string_view::npos) {
        return wrong(at_, shown(letter) + " after a backslash");
      }
      ++at_;
      return true;
    }
    ++at_;
    const int high = unit();
    if (high < 0) return false;
    if (high >= 0xDC00 && high <= 0xDFFF) return wrong(first, "half a surrogate pair");
    if (high < 0xD800 || high > 0xDBFF) return true;
    if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') {
      return wrong(first, "half a surrogate pair");
    }
    at_ += 2;
    const int low = unit();
    if (low < 0) return false;
    if (low < 0xDC00 || low > 0xDFFF) return wrong(first, "half a surrogate pair");
    return true;
  }

  bool array(std::uint32_t depth) {
    ++at_;
    skip();
    if (at_ != end_ && *at_ == ']') {
      ++at_;
      return true;
    }
    for (;;) {
      if (!value(depth)) return false;
      skip();
      if (at_ == end_ || (*at_ != ',' && *at_ != ']')) return expected("',' or ']'");
      if (*at_++ == ']') return true;
      skip();
    }
  }

  bool object(std::uint32_t depth) {
    const std::size_t first_key = keys_.size();
    ++at_;
    skip();
    if (at_ != end_ && *at_ == '}') {
      ++at_;
      return true;
    }
    for (;;) {
      if (!key()) return false;
      skip();
      if (at_ == end_ || *at_ != ':') return expected("':'");
      ++at_;
      skip();
      if (!value(depth)) return false;
      skip();
      if (at_ == end_ || (*at_ != ',' && *at_ != '}')) return expected("',' or '}'");
      if (*at_++ == '}') break;
      skip();
    }
    if (const Key* repeated = find_repeated(std::span(keys_).subspan(first_key))) {
      return wrong(begin_ + repeated->offset, "the same key twice in one object");
    }
    keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(first_key), keys_.end());
    return true;
  }

  bool key() {
    if (at_ == end_ || *at_ != '"') return expected("a key");
    const char* first = at_;
    if (!string()) return false;
    std::string_view name(first + 1, static_cast<std::size_t>(at_ - first) - 2);
    if (name.find('\\') != std::string_view::npos) {
      name = unescaped_.emplace_front(unescape(name));
    }
    keys_.emplace_back(name, offset_of(first));
    return true;
  }

  const char* begin_;
  const char* end_;
  const char* at_;
  const char* run_;  // from here to `at_` is still to be copied
  std::string& out_;
  std::vector<Key>& keys_;
  std::forward_list<std::string> unescaped_;  // keys that were spelt with escapes
  const char* wrong_at_ = nullptr;
  std::string detail_;
};

}  // namespace

char Scanner::peek() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool Scanner::take(char c) {
  if (peek() != c || at_ == text_.size()) return false;
  ++at_;
  return true;
}

Result<void> Scanner::end() {
  peek();
  if (at_ == text_.size()) return {};
  return fail(shown(text_[at_]) + " after the value");
}

Result<void> Scanner::value(std::string& out, std::uint32_t depth) {
  peek();
  keys_.clear();
  Reader reader(text_, at_, out, keys_);
  if (!reader.value(std::min(depth, deepest))) return reader.failure();
  reader.flush();
  at_ = reader.offset();
  return {};
}

Result<void> Scanner::string(std::string& out) {
  if (peek() != '"') return unexpected("a string");
  Reader reader(text_, at_, out, keys_);
  if (!reader.string()) return reader.failure();
  reader.flush();
  at_ = reader.offset();
  return {};
}

Error Scanner::unexpected(std::string_view expected) {
  peek();
  return fail(misfit(text_.data() + at_, text_.data() + text_.size(), expected));
}

Error Scanner::fail_at(std::size_t offset, std::string detail) {
  Error failure = invalid(std::move(detail) + " (at byte " + std::to_string(offset) + ")");
  failure.offset = offset;
  return failure;
}

Result<void> check_utf8(std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return {};
  // The fast check does not tell where: whole blocks are skipped, then characters.
  const auto is_good = [&](std::size_t from, std::size_t to) {
    return to <= text.size() && simdjson::validate_utf8(text.data() + from, to - from);
  };
  const auto is_inside = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  std::size_t good = 0;
  for (std::size_t block = 65536; block >= 8;) {
    std::size_t next = std::min(good + block, text.size());
    while (next > good + 1 && is_inside(next)) --next;
    if (is_good(good, next)) {
      good = next;
    } else {
      block /= 2;
    }
  }
  for (std::size_t length = 1; length <= 4;) {
    if (is_good(good, good + length)) {
      good += length;
      length = 1;
    } else {
      ++length;
    }
  }
  return Scanner::fail_at(good, "the text is not UTF-8");
}

Result<std::string> compact(std::string_view text, std::uint32_t depth) {
  if (auto checked = check_utf8(text); !checked) return checked.error();
  Scanner scanner(text);
  std::string out;
  out.reserve(text.size());
  if (auto taken = scanner.value(out, depth); !taken) return taken.error();
  if (auto ended = scanner.end(); !ended) return ended.error();
  return out;
}

}  // namespace doctor::json
