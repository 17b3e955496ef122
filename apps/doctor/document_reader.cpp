#include "document_reader.hpp"

#include <algorithm>

namespace doctor::app {
namespace {

constexpr std::size_t piece = 256u << 10;

}  // namespace

Error DocumentReader::fail(std::uint64_t line, const std::string& what) const {
  return invalid("line " + std::to_string(line) + ": " + what);
}

Result<void> DocumentReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + piece);
  const auto count = read_({buffer_.data() + before, piece});
  buffer_.resize(before + (count ? *count : 0));
  if (!count) return count.error();
  bytes_read_ += *count;
  ended_ = *count == 0;
  return {};
}

Result<char> DocumentReader::peek() {
  for (;;) {
    for (; at_ < buffer_.size(); ++at_) {
      const char c = buffer_[at_];
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return c;
      line_ += c == '\n';
    }
    if (ended_) return '\0';
    if (auto filled = fill(); !filled) return filled.error();
  }
}

Result<std::size_t> DocumentReader::object_length() {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0;; ++i) {
    while (at_ + i == buffer_.size()) {
      if (ended_) return fail(line_, "the object that begins here does not end");
      if (i > object_max_)
        return fail(line_, "an object longer than " + std::to_string(object_max_) + " bytes");
      if (auto filled = fill(); !filled) return filled.error();
    }
    const char c = buffer_[at_ + i];
    if (in_string) {
      // A backslash takes the next character with it; a piece may end between them.
      if (c == '\\' && at_ + i + 1 < buffer_.size()) {
        ++i;
      } else if (c == '\\' && !ended_) {
        if (auto filled = fill(); !filled) return filled.error();
        --i;  // look at the backslash again, now that what follows it is here
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
}

Result<std::size_t> DocumentReader::line_length() {
  for (std::size_t searched = 0;;) {
    const std::size_t end = buffer_.find('\n', at_ + searched);
    if (end != buffer_.npos) return end - at_;
    searched = buffer_.size() - at_;
    if (ended_) return searched;
    if (searched > object_max_)
      return fail(line_, "a line longer than " + std::to_string(object_max_) + " bytes");
    if (auto filled = fill(); !filled) return filled.error();
  }
}

Result<std::optional<DocumentReader::Object>> DocumentReader::next() {
  auto first = peek();
  if (!first) return first.error();
  if (form_ == Form::unknown) {
    form_ = *first == '[' ? Form::first_of_array : Form::lines;
    if (*first == '[') {
      ++at_;
      first = peek();
      if (!first) return first.error();
    }
  }
  if (form_ == Form::done || form_ == Form::lines) {
    if (*first == '\0') return std::optional<Object>();
    if (form_ == Form::done) return fail(line_, "something stands behind the array");
  } else if (*first == ']') {
    ++at_;
    form_ = Form::done;
    return next();
  } else if (form_ == Form::array) {
    if (*first != ',') return fail(line_, "a comma or the end of the array is missing");
    ++at_;
    first = peek();
    if (!first) return first.error();
  }
  if (*first != '{')
    return fail(line_, *first == '\0' ? "the array does not end" : "a document is a JSON object");

  const auto length = form_ == Form::lines ? line_length() : object_length();
  if (!length) return length.error();
  if (form_ == Form::first_of_array) form_ = Form::array;
  const Object object{std::string_view(buffer_).substr(at_, *length), line_};
  line_ += static_cast<std::uint64_t>(std::ranges::count(object.text, '\n'));
  at_ += *length;
  return std::optional(object);
}

}  // namespace doctor::app
