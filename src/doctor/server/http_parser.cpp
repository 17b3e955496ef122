#include "doctor/server/http_parser.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "doctor/base/text.hpp"
#include "doctor/server/http_grammar.hpp"

// Our own, after Beast's parser was tried: that one needed as many checks around it (folded values,
// encodings that do not end in `chunked`, lists of lengths), ended the process on a last chunk that
// came in pieces (an assertion on their size), and took a third more instructions.

namespace doctor::server {
namespace {

using grammar::malformed;

constexpr std::string_view empty_line = "\r\n";

// RFC 9110 §5.6.1: whether a comma-separated list holds a token, in any case.
bool lists(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equal_ignoring_case(trimmed(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

Error target_too_long() {
  return error(Errc::target_too_long, "the request target is over the limit request_target");
}

}  // namespace

// Each line is looked at once, however the octets come in pieces. Says early what can never become
// a request, so that a client of another protocol need not wait for a time-out.
Result<std::size_t> HttpParser::find_head(std::string_view input) {
  // RFC 9112 §2.2: an empty line before the request line is ignored.
  const std::size_t skipped = input.starts_with(empty_line) ? empty_line.size() : 0;
  input.remove_prefix(skipped);
  const auto first = static_cast<unsigned char>(input.empty() ? 'G' : input.front());
  if (first != '\r' && (first <= ' ' || first >= 0x7F)) {
    return malformed("this port speaks HTTP/1.1, not TLS or another protocol");
  }
  const std::size_t request_line_max = limits_.request_target + 64;  // method, version, blanks
  for (;;) {
    const std::size_t line_feed = input.find('\n', scanned_);
    if (line_feed == std::string_view::npos) break;
    if (line_feed == 0 || input[line_feed - 1] != '\r') {
      return malformed("a line does not end in CR LF");
    }
    if (line_start_ == 0 && line_feed > request_line_max) return target_too_long();
    if (line_feed + 1 > limits_.request_headers) break;
    scanned_ = line_feed + 1;
    if (line_feed - 1 == line_start_) {
      line_start_ = 0;
      return skipped + std::exchange(scanned_, 0);
    }
    line_start_ = scanned_;
  }
  if (line_start_ == 0 && input.size() > request_line_max) return target_too_long();
  if (input.size() >= limits_.request_headers) {
    return error(Errc::headers_too_large,
                 "the request line and headers are over the limit request_headers");
  }
  scanned_ = input.size();
  return std::size_t{0};
}

Result<void> HttpParser::read_head(std::string_view octets) {
  if (octets.starts_with(empty_line)) octets.remove_prefix(empty_line.size());
  const std::size_t first_end = octets.find("\r\n");
  if (auto done = read_request_line(octets.substr(0, first_end)); !done) return done;
  if (auto done = read_fields(octets.substr(first_end + 2)); !done) return done;
  return understand();
}

// RFC 9112 §3: method SP request-target SP HTTP-version. Of the target any octet is taken but
// blanks and controls, since a query may be sent raw.
Result<void> HttpParser::read_request_line(std::string_view line) {
  const std::size_t method_end = std::min(line.find(' '), line.size());
  head_.method = line.substr(0, method_end);
  if (!grammar::is_token(head_.method)) return malformed("the method is not a token");
  const std::string_view rest = line.substr(std::min(method_end + 1, line.size()));
  const std::size_t target_end = std::min(rest.find(' '), rest.size());
  head_.target = rest.substr(0, target_end);
  if (head_.target.empty() || !grammar::is_visible(head_.target)) {
    return malformed("the request target is missing, or has a blank or a control character");
  }
  const std::string_view version = rest.substr(std::min(target_end + 1, rest.size()));
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return malformed("the request line does not end in HTTP/1.1 or HTTP/1.0");
  }
  head_.http_1_1 = version.back() == '1';
  if (head_.target.size() > limits_.request_target) return target_too_long();
  return {};
}

Result<void> HttpParser::read_fields(std::string_view lines) {
  head_.headers.clear();
  for (;;) {
    const std::size_t end = lines.find("\r\n");
    if (end == 0) return {};
    const Result<rest::Header> field = grammar::read_field(lines.substr(0, end));
    if (!field) return field.error();
    head_.headers.push_back(*field);
    lines.remove_prefix(end + 2);
  }
}

Result<void> HttpParser::understand() {
  seen_ = {};
  head_.content_length.reset();
  head_.expects_continue = false;
  for (rest::Header& header : head_.headers) {
    if (auto noted = note(header); !noted) return noted;
  }
  if (seen_.lengths > 1) return malformed("Content-Length is sent twice");
  if (seen_.encodings > 1) return malformed("Transfer-Encoding is sent twice");
  if (seen_.lengths + seen_.encodings > 1) {
    return malformed("both Content-Length and Transfer-Encoding are sent");
  }
  head_.chunked = seen_.encodings == 1;
  if (head_.chunked && !head_.http_1_1) return malformed("HTTP/1.0 knows no Transfer-Encoding");
  head_.keep_alive = !seen_.close && (head_.http_1_1 || seen_.keep_alive);
  head_.wants_websocket =
      head_.http_1_1 && head_.method == "GET" && seen_.websocket && seen_.upgrade;
  return resolve_host();
}

Result<void> HttpParser::note(rest::Header& header) {
  const auto is = [&header](std::string_view name) {
    return equal_ignoring_case(header.name, name);
  };
  switch (header.name.size()) {
    case 4:
      if (!is("host")) break;
      if (seen_.host != nullptr) return malformed("the header Host is sent twice");
      seen_.host = &header;
      break;
    case 6:
      if (!is("expect") || !head_.http_1_1) break;
      if (!equal_ignoring_case(header.value, "100-continue")) {
        return malformed("the only expectation that can be met is 100-continue");
      }
      head_.expects_continue = true;
      break;
    case 7:
      if (is("upgrade")) seen_.websocket = lists(header.value, "websocket");
      break;
    case 10:
      if (!is("connection")) break;
      seen_.close = seen_.close || lists(header.value, "close");
      seen_.keep_alive = seen_.keep_alive || lists(header.value, "keep-alive");
      seen_.upgrade = seen_.upgrade || lists(header.value, "upgrade");
      break;
    case 14:
      if (!is("content-length")) break;
      ++seen_.lengths;
      head_.content_length = parse_unsigned(header.value, 1ull << 62);
      if (!head_.content_length) return malformed("Content-Length is not one decimal number");
      break;
    case 17:
      if (!is("transfer-encoding")) break;
      ++seen_.encodings;
      if (!equal_ignoring_case(header.value, "chunked")) {
        return malformed("the only Transfer-Encoding that is understood is chunked");
      }
      break;
    default:
      break;
  }
  return {};
}

// RFC 9112 §3.2: exactly one Host, but for 1.0; the authority of an absolute target replaces it.
Result<void> HttpParser::resolve_host() {
  if (seen_.host == nullptr && head_.http_1_1) return malformed("the header Host is missing");
  if (head_.target.front() == '/') return {};
  const std::size_t scheme = head_.target.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view name = head_.target.substr(0, scheme);
  if (!equal_ignoring_case(name, "http") && !equal_ignoring_case(name, "https")) return {};
  const std::string_view rest = head_.target.substr(scheme + 3);
  const std::size_t path = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, path);
  if (authority.empty() || authority.find_first_of("?#@") != std::string_view::npos) {
    return malformed("the authority of the request target is not a host");
  }
  head_.target = path == rest.size() ? std::string_view("/") : rest.substr(path);
  if (seen_.host != nullptr) {
    seen_.host->value = authority;
  } else {
    head_.headers.push_back({"Host", authority});
  }
  return {};
}

}  // namespace doctor::server
