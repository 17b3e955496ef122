// Equality and order of values: declared in value.hpp.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/base/text.hpp"
#include "doctor/json/value.hpp"

namespace doctor::json {
namespace {

// The octets (UTF-8) of the characters that the content of a string stands for, one by one.
class Octets {
 public:
  explicit Octets(std::string_view content) : rest_(content) {}

  // The next octet, or -1 at the end.
  int next() {
    if (taken_ < unescaped_.size()) return static_cast<unsigned char>(unescaped_[taken_++]);
    if (rest_.empty()) return -1;
    if (rest_.front() != '\\') {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      return static_cast<unsigned char>(c);
    }
    std::size_t length = 2;
    if (rest_[1] == 'u') {
      // Of a pair this is the first half, which begins with D8, D9, DA or DB.
      const bool pair = (rest_[2] == 'd' || rest_[2] == 'D') && rest_[3] >= '8';
      length = pair ? 12 : 6;
    }
    unescaped_ = unescape(rest_.substr(0, length));
    rest_.remove_prefix(length);
    taken_ = 1;
    return static_cast<unsigned char>(unescaped_[0]);
  }

 private:
  std::string_view rest_;
  std::string unescaped_;
  std::size_t taken_ = 0;
};

bool has_escape(std::string_view content) {
  return content.find('\\') != std::string_view::npos;
}

bool same_content(std::string_view a, std::string_view b) {
  return a == b || compare_contents(a, b) == 0;
}

// A number as 0.d1d2d3... times a power of ten, d1 not being 0, without its trailing zeros. Its
// digits stay where they are in the text: in two pieces, before and behind the point.
struct Decimal {
  bool negative = false;
  std::int64_t magnitude = 0;
  std::string_view whole;
  std::string_view fraction;

  bool is_zero() const { return whole.empty() && fraction.empty(); }
  std::size_t size() const { return whole.size() + fraction.size(); }
  char digit(std::size_t i) const {
    return i < whole.size() ? whole[i] : fraction[i - whole.size()];
  }
};

std::string_view take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && text[size] >= '0' && text[size] <= '9') ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

Decimal read_number(std::string_view text) {
  Decimal number;
  number.negative = text.front() == '-';
  if (number.negative) text.remove_prefix(1);
  number.whole = take_digits(text);
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    number.fraction = take_digits(text);
  }
  number.magnitude = static_cast<std::int64_t>(number.whole.size());
  if (!text.empty()) {
    text.remove_prefix(1);  // e
    const bool down = text.front() == '-';
    if (down || text.front() == '+') text.remove_prefix(1);
    std::int64_t exponent = 0;
    for (const char c : text) exponent = exponent * 10 + (c - '0');
    number.magnitude += down ? -exponent : exponent;
  }
  const auto cut_front = [&](std::string_view& digits) {
    while (!digits.empty() && digits.front() == '0') {
      digits.remove_prefix(1);
      --number.magnitude;
    }
    return digits.empty();
  };
  if (cut_front(number.whole)) cut_front(number.fraction);
  const auto cut_back = [](std::string_view& digits) {
    while (!digits.empty() && digits.back() == '0') digits.remove_suffix(1);
    return digits.empty();
  };
  if (cut_back(number.fraction)) cut_back(number.whole);
  return number;
}

// An integer whose text is short enough to be one of the machine.
std::optional<std::int64_t> short_integer(std::string_view text) {
  const bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.size() > 18) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

std::strong_ordering compare_magnitudes(const Decimal& a, const Decimal& b) {
  if (a.is_zero() || b.is_zero()) return b.is_zero() <=> a.is_zero();
  if (a.magnitude != b.magnitude) return a.magnitude <=> b.magnitude;
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a.digit(i) != b.digit(i)) return a.digit(i) <=> b.digit(i);
  }
  return a.size() <=> b.size();
}

// Walks two texts in step, so that each octet is read once as long as the keys of objects stand in
// the same order.
class Comparison {
 public:
  Comparison(std::string_view a, std::string_view b) : a_(a), b_(b) {}

  // Takes a value from both; whether they are equal. After false nothing else may be asked.
  bool values() {
    const Kind what = kind(a_);
    if (what != kind(b_)) return false;
    if (what == Kind::object) return objects();
    if (what == Kind::array) return arrays();
    const std::string_view a = take(a_);
    const std::string_view b = take(b_);
    if (a == b) return true;
    if (what == Kind::number) return compare_numbers(a, b) == 0;
    return what == Kind::string && compare_contents(content(a), content(b)) == 0;
  }

 private:
  static std::string_view take(std::string_view& rest) {
    const std::string_view value = rest.substr(0, value_length(rest));
    rest.remove_prefix(value.size());
    return value;
  }

  void skip_both() {
    a_.remove_prefix(1);
    b_.remove_prefix(1);
  }

  bool arrays() {
    skip_both();
    for (;;) {
      if (a_.front() == ']' || b_.front() == ']') break;
      if (!values()) return false;
      if (a_.front() != b_.front()) return false;
      if (a_.front() == ',') skip_both();
    }
    const bool same = a_.front() == b_.front();
    skip_both();
    return same;
  }

  bool objects() {
    skip_both();
    while (a_.front() != '}' && b_.front() != '}') {
      const std::string_view a = a_.substr(1, value_length(a_) - 2);
      const std::string_view b = b_.substr(1, value_length(b_) - 2);
      if (!same_content(a, b)) return reordered();
      a_.remove_prefix(a.size() + 3);
      b_.remove_prefix(b.size() + 3);
      if (!values()) return false;
      if (a_.front() != b_.front()) return false;
      if (a_.front() == ',') skip_both();
    }
    const bool same = a_.front() == b_.front();
    skip_both();
    return same;
  }

  // The rest of two objects whose keys stand in different order.
  bool reordered() {
    const std::vector<Member> a = sorted_members(a_);
    const std::vector<Member> b = sorted_members(b_);
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!same_content(a[i].name, b[i].name)) return false;
      if (!equal(a[i].value, b[i].value)) return false;
    }
    return true;
  }

  static std::vector<Member> sorted_members(std::string_view& rest) {
    std::vector<Member> members;
    for (;;) {
      const std::string_view name = content(take(rest));
      rest.remove_prefix(1);
      members.push_back({name, take(rest)});
      const char next = rest.front();
      rest.remove_prefix(1);
      if (next == '}') break;
    }
    std::sort(members.begin(), members.end(), [](const Member& x, const Member& y) {
      return compare_contents(x.name, y.name) < 0;
    });
    return members;
  }

  std::string_view a_;
  std::string_view b_;
};

}  // namespace

bool equal(std::string_view a, std::string_view b) {
  return a == b || Comparison(a, b).values();
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  if (const auto left = short_integer(a)) {
    if (const auto right = short_integer(b)) return *left <=> *right;
  }
  const Decimal left = read_number(a);
  const Decimal right = read_number(b);
  const bool left_negative = left.negative && !left.is_zero();
  const bool right_negative = right.negative && !right.is_zero();
  if (left_negative != right_negative) return right_negative <=> left_negative;
  return left_negative ? compare_magnitudes(right, left) : compare_magnitudes(left, right);
}

std::strong_ordering compare_contents(std::string_view a, std::string_view b) {
  if (!has_escape(a) && !has_escape(b)) return a <=> b;
  Octets left(a);
  Octets right(b);
  for (;;) {
    const int x = left.next();
    const int y = right.next();
    if (x != y) return x <=> y;
    if (x < 0) return std::strong_ordering::equal;
  }
}

std::strong_ordering compare_strings(std::string_view a, std::string_view b) {
  return compare_contents(content(a), content(b));
}

}  // namespace doctor::json
