#include "doctor/stomp/splitter.hpp"

#include <algorithm>
#include <limits>

#include "doctor/base/text.hpp"

namespace doctor::stomp {
namespace {

using namespace std::string_view_literals;

// A buffer larger than this is not kept for the next frame: an idle peer should cost little.
constexpr std::size_t buffer_kept = 256;

constexpr std::string_view line_or_end = "\n\0"sv;

std::string_view without_cr(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

}  // namespace

Decoded<std::optional<RawFrame>> Splitter::next(std::string_view& input) {
  if (given_) {
    given_ = false;
    partial_.clear();
    if (partial_.capacity() > buffer_kept) std::string().swap(partial_);
  }
  if (partial_.empty()) {
    input.remove_prefix(std::min(input.find_first_not_of("\r\n"), input.size()));
    progress_ = {};
    if (const auto advanced = advance(input); !advanced) return advanced.error();
    if (progress_.size != 0) {
      const RawFrame frame = frame_of(input.substr(0, progress_.size));
      input.remove_prefix(progress_.size);
      return std::optional(frame);
    }
    partial_ = input;
    input = {};
    return std::optional<RawFrame>();
  }
  while (!input.empty()) {
    const std::size_t taken = wanted(input);
    partial_ += input.substr(0, taken);
    input.remove_prefix(taken);
    if (const auto advanced = advance(partial_); !advanced) return advanced.error();
    if (progress_.size != 0) {
      given_ = true;
      return std::optional(frame_of(partial_));
    }
  }
  return std::optional<RawFrame>();
}

// How much of `input` belongs to the frame for certain, at least one octet.
std::size_t Splitter::wanted(std::string_view input) const {
  if (progress_.body != 0 && progress_.content_length) {
    return std::min(progress_.body + *progress_.content_length + 1 - partial_.size(), input.size());
  }
  const std::size_t end = progress_.body != 0 ? input.find('\0') : input.find_first_of(line_or_end);
  return end == input.npos ? input.size() : end + 1;
}

Decoded<void> Splitter::advance(std::string_view frame) {
  while (progress_.body == 0) {
    const auto line = advance_line(frame);
    if (!line) return line.error();
    if (!*line) return {};
  }
  return advance_body(frame);
}

// False while the line has not ended. Where a line is over its bound is judged octet by octet, so
// that it does not matter how the stream is cut.
Decoded<bool> Splitter::advance_line(std::string_view frame) {
  std::size_t max = command_size_max + 1;  // a CR
  Refusal refusal{Fault::malformed, "Unknown command"};
  if (progress_.command) {
    const std::size_t block_left =
        limits_.header_block - std::min(progress_.line, limits_.header_block);
    max = std::min(limits_.header_line, block_left);
    refusal =
        limits_.header_line <= block_left
            ? Refusal{Fault::limit, "A header is longer than the limit stomp_header_line"}
            : Refusal{Fault::limit, "The headers are longer than the limit stomp_header_block"};
  }
  const std::string_view seen = frame.substr(0, progress_.line + max + 1);
  const std::size_t end = seen.find_first_of(line_or_end, progress_.scanned);
  if (end == seen.npos) {
    if (seen.size() > progress_.line + max) return refusal;
    progress_.scanned = seen.size();
    return false;
  }
  if (frame[end] == '\0') {
    if (!progress_.command) return Refusal{Fault::malformed, "Unknown command"};
    return Refusal{Fault::malformed, "NUL among the headers"};
  }
  const std::string_view line = without_cr(frame.substr(progress_.line, end - progress_.line));
  const std::size_t begin = progress_.line;
  progress_.line = progress_.scanned = end + 1;
  if (!progress_.command) {
    progress_.command = command_of(line);
    if (!progress_.command) return Refusal{Fault::malformed, "Unknown command"};
    progress_.headers_begin = progress_.line;
    return true;
  }
  if (line.empty()) {
    progress_.headers_end = begin;
    progress_.body = progress_.line;
    const auto checked = check_body_announced();
    if (!checked) return checked.error();
    return true;
  }
  const auto taken = take_header(line);
  if (!taken) return taken.error();
  return true;
}

Decoded<void> Splitter::take_header(std::string_view line) {
  if (++progress_.headers > limits_.headers) {
    return Refusal{Fault::limit, "There are more headers than the limit stomp_headers"};
  }
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return Refusal{Fault::malformed, "A header has no colon"};
  if (colon == 0) return Refusal{Fault::malformed, "A header has no name"};
  if (line.substr(0, colon) != "content-length" || progress_.content_length) return {};
  std::string_view value = line.substr(colon + 1);
  if (version_ == Version::v1_0) {
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  }
  const bool is_number =
      !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
  if (!is_number) return Refusal{Fault::malformed, "content-length is not a number"};
  const auto length = parse_unsigned(value, limits_.body);
  // What is larger than any body is as good as the largest number: refused once the headers end.
  progress_.content_length =
      length ? static_cast<std::size_t>(*length) : std::numeric_limits<std::size_t>::max();
  return {};
}

Decoded<void> Splitter::check_body_announced() const {
  if (!progress_.content_length) return {};
  if (!has_body(*progress_.command) && *progress_.content_length > 0) {
    return Refusal{Fault::malformed, "This command has no body"};
  }
  if (*progress_.content_length > limits_.body) {
    return Refusal{Fault::limit, "The body is longer than the limit stomp_body"};
  }
  return {};
}

Decoded<void> Splitter::advance_body(std::string_view frame) {
  if (progress_.content_length) {
    const std::size_t end = progress_.body + *progress_.content_length;
    if (frame.size() <= end) return {};
    if (frame[end] != '\0') {
      return Refusal{Fault::malformed, "The body is longer than its content-length"};
    }
    progress_.size = end + 1;
    return {};
  }
  const std::size_t max = has_body(*progress_.command) ? limits_.body : 0;
  const std::string_view seen = frame.substr(0, std::min(frame.size(), progress_.body + max + 1));
  const std::size_t end = seen.find('\0', progress_.scanned);
  if (end != seen.npos) {
    progress_.size = end + 1;
    return {};
  }
  if (seen.size() > progress_.body + max) {
    if (max == 0 && !has_body(*progress_.command)) {
      return Refusal{Fault::malformed, "This command has no body"};
    }
    return Refusal{Fault::limit, "The body is longer than the limit stomp_body"};
  }
  progress_.scanned = seen.size();
  return {};
}

RawFrame Splitter::frame_of(std::string_view frame) const {
  return {*progress_.command,
          frame.substr(progress_.headers_begin, progress_.headers_end - progress_.headers_begin),
          frame.substr(progress_.body, progress_.size - 1 - progress_.body)};
}

}  // namespace doctor::stomp
