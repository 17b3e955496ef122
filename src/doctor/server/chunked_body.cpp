#include <algorithm>

#include "doctor/base/text.hpp"
#include "doctor/server/http_grammar.hpp"
#include "doctor/server/http_parser.hpp"

namespace doctor::server {
namespace {

using grammar::malformed;

constexpr std::size_t line_max = 4u << 10;  // of a chunk's size with its extensions, of a trailer
constexpr std::size_t size_digits_max = 15;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The line that `input` begins with, without its CR LF; nothing while its end has not come.
Result<std::optional<std::string_view>> next_line(std::string_view input) {
  const std::size_t line_feed = input.substr(0, line_max).find('\n');
  if (line_feed == std::string_view::npos) {
    if (input.size() < line_max) return std::optional<std::string_view>();
    return malformed("a line of the chunked encoding is too long");
  }
  if (line_feed == 0 || input[line_feed - 1] != '\r') {
    return malformed("a line of the chunked encoding does not end in CR LF");
  }
  return std::optional(input.substr(0, line_feed - 1));
}

}  // namespace

Result<std::size_t> ChunkedBody::take(std::string_view input, std::string& body) {
  const std::size_t size = input.size();
  while (!input.empty() && !complete()) {
    if (state_ == State::data) {
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), remaining_));
      body.append(input.substr(0, count));
      input.remove_prefix(count);
      remaining_ -= count;
      if (remaining_ == 0) state_ = State::end_of_data;
      continue;
    }
    const auto line = next_line(input);
    if (!line) return line.error();
    if (!*line) break;
    if (state_ == State::end_of_data) {
      if (!(*line)->empty()) return malformed("a chunk is longer than its size");
      state_ = State::size;
    } else if (state_ == State::size) {
      if (auto read = read_size(**line, body); !read) return read.error();
    } else if (auto read = read_trailer(**line); !read) {
      return read.error();
    }
    input.remove_prefix((*line)->size() + 2);
  }
  return size - input.size();
}

// chunk-size [ chunk-ext ], where each extension begins with a semicolon.
Result<void> ChunkedBody::read_size(std::string_view line, const std::string& body) {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < line.size() && hex_digit(line[digits]) >= 0; ++digits) {
    if (digits == size_digits_max) return malformed("the size of a chunk has too many digits");
    size = size * 16 + static_cast<std::uint64_t>(hex_digit(line[digits]));
  }
  const std::string_view extensions = line.substr(digits);
  const bool sound = trimmed(extensions).starts_with(';') || extensions.empty();
  if (digits == 0 || !sound || !grammar::is_field_value(extensions)) {
    return malformed("the size of a chunk is not a hexadecimal number");
  }
  if (size > body_max_ - body.size()) {
    return error(Errc::too_large, "the request body is over the limit request_body");
  }
  remaining_ = size;
  state_ = size == 0 ? State::trailers : State::data;
  return {};
}

Result<void> ChunkedBody::read_trailer(std::string_view line) {
  if (line.empty()) {
    state_ = State::complete;
    return {};
  }
  if (line.size() + 2 > trailers_max_) {
    return error(Errc::headers_too_large, "the trailer fields are over the limit request_headers");
  }
  trailers_max_ -= line.size() + 2;
  const Result<rest::Header> field = grammar::read_field(line);
  if (!field) return field.error();
  return {};
}

}  // namespace doctor::server
