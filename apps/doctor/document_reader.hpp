#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"

namespace doctor::app {

/// The objects of a JSON array, or of JSON lines (one a line, blank lines are passed over), one at
/// a time, from input of any size: it holds one object and a piece of input. The first character
/// that is not white space tells which it is. What is inside an object is not checked here.
class DocumentReader {
 public:
  /// Puts bytes into the buffer and returns how many; 0 at the end.
  using Read = std::function<Result<std::size_t>(std::span<char>)>;

  /// @param object_max  a longer object is an error
  DocumentReader(Read read, std::size_t object_max)
      : read_(std::move(read)), object_max_(object_max) {}

  struct Object {
    std::string_view text;  ///< as it was sent; valid until the next call
    std::uint64_t line;     ///< in which it begins, from 1
  };
  /// Nothing at the end. An error (Errc::invalid, the detail begins `line N: `) ends the reading.
  Result<std::optional<Object>> next();

  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  enum class Form : std::uint8_t { unknown, lines, first_of_array, array, done };

  Result<void> fill();
  /// Passes over white space; the next character, '\0' at the end.
  Result<char> peek();
  Result<std::size_t> object_length();
  Result<std::size_t> line_length();
  Error fail(std::uint64_t line, const std::string& what) const;

  Read read_;
  std::size_t object_max_;
  std::string buffer_;
  std::size_t at_ = 0;  // what lies before it has been used
  bool ended_ = false;
  Form form_ = Form::unknown;
  std::uint64_t line_ = 1;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace doctor::app
