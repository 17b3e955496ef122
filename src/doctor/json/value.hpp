#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

namespace doctor::json {

/// A value of JSON is its compact text, as the scanner wrote it: a slice of a document, never
/// parsed into a tree. All functions here trust that text: they are for what was checked when it
/// was written, and read no octet beyond it. They allocate only where they return a std::string.
enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

Kind kind(std::string_view value);

/// The length of the value that `text` begins with.
std::size_t value_length(std::string_view text);

inline bool is_string(std::string_view value) {
  return value.front() == '"';
}

/// What stands between the quotes of a string, escapes and all.
inline std::string_view content(std::string_view string) {
  return string.substr(1, string.size() - 2);
}
/// The characters that the content of a string stands for, as UTF-8 (a lone NUL is U+0000).
std::string unescape(std::string_view content);
/// Appends `text` (UTF-8) as a string with quotes, in its one minimal spelling: escaped are only
/// `"`, `\` and U+0000-001F (with the two-letter forms where there are some).
void append_string(std::string& out, std::string_view text);
std::string quoted(std::string_view text);

/// The same JSON (RFC 8259; order of keys and spelling of strings and numbers do not matter).
/// Time is linear in the text, whatever the peer sent, but for sorting the keys of objects that
/// have them in different order.
bool equal(std::string_view a, std::string_view b);

/// Numbers by value, without expanding them: `1`, `1.0`, `10e-1` are equal, whatever the exponent.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b);

/// The contents of two strings, each spelt in whatever way, by code point.
std::strong_ordering compare_contents(std::string_view a, std::string_view b);
/// Two strings (with quotes) by code point.
std::strong_ordering compare_strings(std::string_view a, std::string_view b);

/// A range over the values of an array: `for (std::string_view element : Elements(array))`.
class Elements {
 public:
  explicit Elements(std::string_view array) : rest_(array.substr(1)) {}

  class Iterator {
   public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(std::string_view rest) : rest_(rest) { measure(); }
    std::string_view operator*() const { return rest_.substr(0, length_); }
    Iterator& operator++() {
      rest_.remove_prefix(length_);
      if (rest_.front() == ',') rest_.remove_prefix(1);
      measure();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(std::default_sentinel_t) const { return length_ == 0; }

   private:
    void measure() { length_ = rest_.front() == ']' ? 0 : value_length(rest_); }
    std::string_view rest_ = "]";
    std::size_t length_ = 0;
  };

  Iterator begin() const { return Iterator(rest_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::string_view rest_;
};

/// A member of an object: the name's content as it is spelt (unescape it to compare it), and the
/// value's text.
struct Member {
  std::string_view name;
  std::string_view value;
};

/// A range over the members of an object, in their order.
class Members {
 public:
  explicit Members(std::string_view object) : rest_(object.substr(1)) {}

  class Iterator {
   public:
    using value_type = Member;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(std::string_view rest) : rest_(rest) { measure(); }
    const Member& operator*() const { return member_; }
    const Member* operator->() const { return &member_; }
    Iterator& operator++() {
      if (rest_.front() == ',') rest_.remove_prefix(1);
      measure();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(std::default_sentinel_t) const { return done_; }

   private:
    void measure() {
      done_ = rest_.front() == '}';
      if (done_) return;
      const std::size_t name = value_length(rest_);
      const std::size_t value = value_length(rest_.substr(name + 1));
      member_ = {rest_.substr(1, name - 2), rest_.substr(name + 1, value)};
      rest_.remove_prefix(name + 1 + value);
    }
    std::string_view rest_ = "}";
    Member member_;
    bool done_ = true;
  };

  Iterator begin() const { return Iterator(rest_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::string_view rest_;
};

}  // namespace doctor::json
