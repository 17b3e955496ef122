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
constexpr std::string_view too_deep = "the text is nested too deeply (limit nesting)";

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

}  // namespace

// Reads one value. What is to be kept is gathered in runs and copied only where a blank is left
// out, so that compact text is copied in one piece. Every function takes the place where it begins
// and returns the one behind what it took, or notes what is wrong and returns null.
class Scanner::Reader {
 public:
  Reader(std::string_view text, std::string& out, std::vector<Key>& keys)
      : begin_(text.data()), end_(text.data() + text.size()), out_(out), keys_(keys) {}

  /// @param members  of the object that begins here; null: they are not wanted
  bool read(std::size_t from, std::uint32_t depth, std::vector<Taken>* members) {
    run_ = begin_ + from;
    const char* at = members == nullptr ? value(run_, depth) : object(run_, depth - 1, members);
    if (at == nullptr) return false;
    out_.append(run_, static_cast<std::size_t>(at - run_));
    run_ = at;
    return true;
  }

  std::size_t offset() const { return offset_of(run_); }
  Error failure() const { return fail_at(offset_of(wrong_at_), detail_); }

 private:
  std::size_t offset_of(const char* place) const {
    return static_cast<std::size_t>(place - begin_);
  }

  const char* wrong(const char* place, std::string detail) {
    wrong_at_ = place;
    detail_ = std::move(detail);
    return nullptr;
  }
  const char* expected(const char* at, std::string_view what) {
    return wrong(at, misfit(at, end_, what));
  }

  // Drops blanks.
  const char* skip(const char* at) {
    if (at == end_ || static_cast<unsigned char>(*at) > ' ') return at;
    out_.append(run_, static_cast<std::size_t>(at - run_));
    while (at != end_ && is_blank(*at)) ++at;
    run_ = at;
    return at;
  }

  const char* value(const char* at, std::uint32_t depth) {
    if (at == end_) return expected(at, "a value");
    switch (*at) {
      case '"':
        return string(at + 1);
      case '{':
        return depth > 0 ? object(at, depth - 1, nullptr) : wrong(at, std::string(too_deep));
      case '[':
        return depth > 0 ? array(at + 1, depth - 1) : wrong(at, std::string(too_deep));
      case 't':
        return literal(at, "true");
      case 'f':
        return literal(at, "false");
      case 'n':
        return literal(at, "null");
      default:
        return number(at);
    }
  }

  // What follows the opening quote.
  const char* string(const char* at) {
    at = find_special(at, end_);
    return at != end_ && *at == '"' ? at + 1 : rest_of_string(at);
  }

  // A string from its first octet on that does not stand for itself.
  const char* rest_of_string(const char* at) {
    while (at != end_ && *at == '\\') {
      at = escape(at);
      if (at == nullptr) return nullptr;
      at = find_special(at, end_);
    }
    if (at == end_) return wrong(at, "the text ends within a string");
    if (*at != '"') return wrong(at, "a control character in a string must be escaped");
    return at + 1;
  }

  const char* literal(const char* at, std::string_view word) {
    for (const char c : word) {
      if (at == end_ || *at != c) return expected(at, "the literal " + std::string(word));
      ++at;
    }
    return at;
  }

  const char* digits(const char* at) const {
    while (at != end_ && is_digit(*at)) ++at;
    return at;
  }

  const char* number(const char* first) {
    const char* at = *first == '-' ? first + 1 : first;
    if (at == end_ || !is_digit(*at)) return expected(at, at == first ? "a value" : "a digit");
    const char* whole = at;
    at = digits(at);
    auto count = static_cast<std::size_t>(at - whole);
    if (*whole == '0' && count > 1) return wrong(whole + 1, "a number must not begin with 0");
    if (at != end_ && *at == '.') {
      const char* fraction = ++at;
      at = digits(at);
      if (at == fraction) return expected(at, "a digit");
      count += static_cast<std::size_t>(at - fraction);
    }
    if (count > max_digits) return wrong(first, "a number has more than 1024 digits");
    if (at != end_ && (*at == 'e' || *at == 'E')) return exponent(at + 1, first);
    return at;
  }

  const char* exponent(const char* at, const char* number) {
    if (at != end_ && (*at == '+' || *at == '-')) ++at;
    if (at == end_ || !is_digit(*at)) return expected(at, "a digit");
    std::int64_t value = 0;
    for (; at != end_ && is_digit(*at); ++at) {
      value = std::min(value * 10 + (*at - '0'), max_exponent + 1);
    }
    if (value > max_exponent) return wrong(number, "a number's exponent is beyond 1000000");
    return at;
  }

  const char* escape(const char* first) {
    const char* at = first + 1;
    if (at == end_) return wrong(at, "the text ends within a string");
    if (*at != 'u') {
      constexpr std::string_view letters = "\"\\/bfnrt";
      if (letters.find(*at) == std::string_view::npos) {
        return wrong(at, shown(*at) + " after a backslash");
      }
      return at + 1;
    }
    std::uint32_t high = 0;
    at = unit(at + 1, high);
    if (at == nullptr || high < 0xD800 || high > 0xDFFF) return at;
    std::uint32_t low = 0;
    if (high <= 0xDBFF && end_ - at >= 2 && at[0] == '\\' && at[1] == 'u') {
      at = unit(at + 2, low);
      if (at == nullptr) return nullptr;
    }
    if (low < 0xDC00 || low > 0xDFFF) return wrong(first, "half a surrogate pair");
    return at;
  }

  // The four digits of \uXXXX.
  const char* unit(const char* at, std::uint32_t& value) {
    for (int i = 0; i < 4; ++i, ++at) {
      const int digit = at == end_ ? -1 : hex_value(*at);
      if (digit < 0) return expected(at, "a hexadecimal digit");
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return at;
  }

  const char* array(const char* at, std::uint32_t depth) {
    at = skip(at);
    if (at != end_ && *at == ']') return at + 1;
    for (;;) {
      at = value(at, depth);
      if (at == nullptr) return nullptr;
      at = skip(at);
      if (at == end_ || (*at != ',' && *at != ']')) return expected(at, "',' or ']'");
      if (*at++ == ']') return at;
      at = skip(at);
    }
  }

  const char* object(const char* at, std::uint32_t depth, std::vector<Taken>* members) {
    const std::size_t first_key = keys_.size();
    at = skip(at + 1);
    if (at != end_ && *at == '}') return at + 1;
    for (;;) {
      at = key(at, members);
      if (at == nullptr) return nullptr;
      at = skip(at);
      if (at == end_ || *at != ':') return expected(at, "':'");
      at = value(skip(at + 1), depth);
      if (at == nullptr) return nullptr;
      at = skip(at);
      if (at == end_ || (*at != ',' && *at != '}')) return expected(at, "',' or '}'");
      if (*at++ == '}') break;
      at = skip(at);
    }
    if (const Key* repeated = find_repeated(std::span(keys_).subspan(first_key))) {
      return wrong(begin_ + repeated->offset, "the same key twice in one object");
    }
    keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(first_key), keys_.end());
    return at;
  }

  const char* key(const char* first, std::vector<Taken>* members) {
    if (first == end_ || *first != '"') return expected(first, "a key");
    const char* at = find_special(first + 1, end_);
    const bool escaped = at == end_ || *at != '"';
    at = escaped ? rest_of_string(at) : at + 1;
    if (at == nullptr) return nullptr;
    const auto length = static_cast<std::size_t>(at - first) - 2;
    std::string_view name(first + 1, length);
    if (escaped) name = unescaped_.emplace_front(unescape(name));
    const Key& key = keys_.emplace_back(name, offset_of(first));
    if (members != nullptr) {
      const std::size_t name_at = out_.size() + static_cast<std::size_t>(first + 1 - run_);
      members->push_back({name_at, length, key.hash, escaped, key.offset});
    }
    return at;
  }

  const char* begin_;
  const char* end_;
  const char* run_ = nullptr;  // from here on it is still to be copied
  std::string& out_;
  std::vector<Key>& keys_;
  std::forward_list<std::string> unescaped_;  // keys that were spelt with escapes
  const char* wrong_at_ = nullptr;
  std::string detail_;
};

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
  Reader reader(text_, out, keys_);
  if (!reader.read(at_, std::min(depth, deepest), nullptr)) return reader.failure();
  at_ = reader.offset();
  return {};
}

Result<void> Scanner::object(std::string& out, std::uint32_t depth, std::vector<Taken>& members) {
  if (peek() != '{') return unexpected("an object");
  if (depth == 0) return fail(std::string(too_deep));
  keys_.clear();
  members.clear();
  Reader reader(text_, out, keys_);
  if (!reader.read(at_, std::min(depth, deepest), &members)) return reader.failure();
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
