// Equality and order of values: declared in value.hpp.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/json/keys.hpp"
#include "doctor/json/octets.hpp"
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

// Where the objects and arrays of a text end, so that none need be read again to be skipped.
class Ends {
 public:
  void read(std::string_view text) {
    begin_ = text.data();
    std::vector<std::size_t> open;
    const char* end = begin_ + text.size();
    for (const char* at = begin_; (at = find_structure(at, end)) != end;) {
      if (*at == '"') {
        at += value_length({at, static_cast<std::size_t>(end - at)});
      } else if (*at == '{' || *at == '[') {
        open.push_back(pieces_.size());
        pieces_.push_back({offset(at++), 0});
      } else {
        pieces_[open.back()].end = offset(++at);
        open.pop_back();
      }
    }
  }
  bool is_read() const { return begin_ != nullptr; }

  // The length of the object or array that begins at `at`.
  std::size_t length(const char* at) const {
    const auto piece =
        std::lower_bound(pieces_.begin(), pieces_.end(), offset(at),
                         [](const Piece& p, std::size_t begin) { return p.begin < begin; });
    return piece->end - piece->begin;
  }

 private:
  struct Piece {
    std::size_t begin;
    std::size_t end;
  };
  std::size_t offset(const char* at) const { return static_cast<std::size_t>(at - begin_); }

  const char* begin_ = nullptr;
  std::vector<Piece> pieces_;
};

struct HashedMember {
  std::uint32_t hash;
  Member member;
};

// One of the two texts that are compared: what is still to be taken of it.
class Side {
 public:
  explicit Side(std::string_view text) : text_(text), rest_(text) {}

  char next() const { return rest_.front(); }
  void skip() { rest_.remove_prefix(1); }
  std::string_view rest() const { return rest_; }
  // Goes on where `value`, a piece of the text, begins.
  void go_to(const char* at) { rest_ = text_.substr(static_cast<std::size_t>(at - text_.data())); }

  std::string_view scalar() { return take(value_length(rest_)); }

  // The members up to the closing brace, which is taken too, in an order that depends on their
  // names alone.
  std::vector<HashedMember> sorted_members() {
    if (!ends_.is_read()) ends_.read(text_);
    std::vector<HashedMember> members;
    for (;;) {
      const std::string_view name = content(scalar());
      skip();
      const bool nested = next() == '{' || next() == '[';
      const std::string_view value = nested ? take(ends_.length(rest_.data())) : scalar();
      members.push_back({spelling_hash(name), {name, value}});
      const char behind = next();
      skip();
      if (behind == '}') break;
    }
    std::sort(members.begin(), members.end(), [](const HashedMember& x, const HashedMember& y) {
      if (x.hash != y.hash) return x.hash < y.hash;
      return compare_contents(x.member.name, y.member.name) < 0;
    });
    return members;
  }

 private:
  std::string_view take(std::size_t length) {
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  std::string_view text_;
  std::string_view rest_;
  Ends ends_;
};

// Walks two texts in step, so that each octet is read once as long as the keys of objects stand in
// the same order; the members of two objects where they do not are sorted first.
class Comparison {
 public:
  Comparison(std::string_view a, std::string_view b) : a_(a), b_(b) {}

  // Takes a value from both; whether they are equal. After false nothing else may be asked.
  bool values() {
    const Kind what = kind(a_.rest());
    if (what != kind(b_.rest())) return false;
    if (what == Kind::object) return objects();
    if (what == Kind::array) return arrays();
    const std::string_view a = a_.scalar();
    const std::string_view b = b_.scalar();
    if (a == b) return true;
    if (what == Kind::number) return compare_numbers(a, b) == 0;
    return what == Kind::string && same_content(content(a), content(b));
  }

 private:
  void skip_both() {
    a_.skip();
    b_.skip();
  }

  // Takes what stands between two elements; false if it is not the same.
  bool separators() {
    if (a_.next() != b_.next()) return false;
    if (a_.next() == ',') skip_both();
    return true;
  }

  bool ends(char bracket) {
    const bool same = a_.next() == bracket && b_.next() == bracket;
    skip_both();
    return same;
  }

  bool arrays() {
    skip_both();
    while (a_.next() != ']' && b_.next() != ']') {
      if (!values() || !separators()) return false;
    }
    return ends(']');
  }

  bool objects() {
    skip_both();
    while (a_.next() != '}' && b_.next() != '}') {
      const std::string_view a = a_.scalar();
      const std::string_view b = b_.scalar();
      if (!same_content(content(a), content(b))) {
        a_.go_to(a.data());
        b_.go_to(b.data());
        return reordered();
      }
      skip_both();
      if (!values() || !separators()) return false;
    }
    return ends('}');
  }

  // The rest of two objects whose keys stand in different order.
  bool reordered() {
    const std::vector<HashedMember> a = a_.sorted_members();
    const std::vector<HashedMember> b = b_.sorted_members();
    if (a.size() != b.size()) return false;
    const char* behind_a = a_.rest().data();
    const char* behind_b = b_.rest().data();
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i].hash != b[i].hash) return false;
      if (!same_content(a[i].member.name, b[i].member.name)) return false;
      a_.go_to(a[i].member.value.data());
      b_.go_to(b[i].member.value.data());
      if (!values()) return false;
    }
    a_.go_to(behind_a);
    b_.go_to(behind_b);
    return true;
  }

  Side a_;
  Side b_;
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
