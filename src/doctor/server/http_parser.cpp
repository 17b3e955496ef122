#include "doctor/server/http_parser.hpp"

#include <algorithm>
#include <cstring>

#include <boost/beast/http/basic_parser.hpp>

#include "doctor/base/text.hpp"

namespace doctor::server {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

std::string_view view(string_view text) {
  return {text.data(), text.size()};
}

Error malformed(std::string detail) {
  return invalid("malformed request: " + std::move(detail));
}

Error explain(const error_code& failure) {
  if (failure == http::error::bad_method) return malformed("the method is not a token");
  if (failure == http::error::bad_target) {
    return malformed("the request target has a blank or a control character");
  }
  if (failure == http::error::bad_version) {
    return malformed("the request line does not end in HTTP/1.1 or HTTP/1.0");
  }
  if (failure == http::error::bad_field) return malformed("a header's name is not a token");
  if (failure == http::error::bad_value) {
    return malformed("a header's value has a control character, or Connection is not a list");
  }
  if (failure == http::error::bad_line_ending) return malformed("a line does not end in CR LF");
  if (failure == http::error::bad_content_length ||
      failure == http::error::multiple_content_length) {
    return malformed("Content-Length is not one decimal number");
  }
  if (failure == http::error::bad_transfer_encoding) {
    return malformed("Transfer-Encoding is sent twice, or beside Content-Length");
  }
  if (failure == http::error::bad_chunk || failure == http::error::bad_chunk_extension) {
    return malformed("the chunked encoding of the body is broken");
  }
  return malformed(failure.message());
}

// RFC 9110 §5.6.1: whether a comma-separated list holds a token, in any case.
bool lists(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equal_ignoring_case(trimmed(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

// What Beast finds goes into the head and the body. Beast knows the grammar of lines, fields and
// chunks; what a combination of headers means is decided in `understand`.
class HttpParser::Grammar : public http::basic_parser<true> {
 public:
  explicit Grammar(HttpHead& head) : head_(head) {
    header_limit((std::numeric_limits<std::uint32_t>::max)());  // found before: see find_end
    body_limit(boost::none);
  }

  void collect(std::string& body, std::size_t body_max) {
    body_ = &body;
    body_max_ = body_max;
  }
  bool too_large() const { return too_large_; }

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    head_.method = view(method);
    head_.target = view(target);
    head_.http_1_1 = version == 11;
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code& ec) override {
    if (body_ != nullptr) return;  // a trailer field: nothing here has a use for one
    // RFC 9112 §5.2: a folded value is refused. Beast has put its lines together elsewhere, or
    // has skipped a line break to get at it.
    const std::string_view between(
        name.data() + name.size(),
        static_cast<std::size_t>(value.data() - name.data()) - name.size());
    const bool in_place = value.data() >= name.data() && between.size() <= block_size_;
    if (!value.empty() && (!in_place || between.find('\n') != std::string_view::npos)) {
      ec = http::error::bad_line_ending;
      return;
    }
    head_.headers.push_back({view(name), view(value)});
  }
  std::size_t append(string_view data, error_code& ec) {
    if (data.size() > body_max_ - body_->size()) {
      too_large_ = true;
      ec = http::error::body_limit;
      return 0;
    }
    body_->append(data.data(), data.size());
    return data.size();
  }
  std::size_t on_body_impl(string_view data, error_code& ec) override { return append(data, ec); }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view data, error_code& ec) override {
    return append(data, ec);
  }
  void on_chunk_header_impl(std::uint64_t size, string_view, error_code& ec) override {
    if (size <= body_max_ - body_->size()) return;
    too_large_ = true;
    ec = http::error::body_limit;
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  void on_finish_impl(error_code&) override {}

 public:
  void block_size(std::size_t size) { block_size_ = size; }

 private:
  HttpHead& head_;
  std::string* body_ = nullptr;
  std::size_t body_max_ = 0;
  std::size_t block_size_ = 0;
  bool too_large_ = false;
};

// Beast's parser serves one message: a new one is made in the same place for each.
struct HttpParser::Slot {
  std::optional<Grammar> grammar;
};

HttpParser::HttpParser(const Limits& limits) : limits_(limits), slot_(std::make_unique<Slot>()) {}
HttpParser::~HttpParser() = default;

// Each line is looked at once, however the octets come in pieces. Says early what can never become
// a request, so that a client of another protocol need not wait for a time-out.
Result<std::size_t> HttpParser::find_end(std::string_view input) {
  const std::size_t request_line_max = limits_.request_target + 64;  // method, version, blanks
  for (;;) {
    const std::size_t line_feed = input.find('\n', scanned_);
    if (line_feed == std::string_view::npos) break;
    if (line_feed == 0 || input[line_feed - 1] != '\r') {
      return malformed("a line does not end in CR LF");
    }
    if (line_start_ == 0 && line_feed > request_line_max) {
      return error(Errc::target_too_long, "the request target is over the limit request_target");
    }
    if (line_feed + 1 > limits_.request_headers) break;
    scanned_ = line_feed + 1;
    if (line_feed - 1 == line_start_) return scanned_;
    line_start_ = scanned_;
  }
  if (line_start_ == 0) {
    if (input.size() > request_line_max) {
      return error(Errc::target_too_long, "the request target is over the limit request_target");
    }
    const auto first = static_cast<unsigned char>(input.empty() ? 'G' : input.front());
    if (first != '\r' && (first <= ' ' || first >= 0x7F)) {
      return malformed("this port speaks HTTP/1.1, not TLS or another protocol");
    }
  }
  if (input.size() >= limits_.request_headers) {
    return error(Errc::headers_too_large,
                 "the request line and headers are over the limit request_headers");
  }
  scanned_ = input.size();
  return std::size_t{0};
}

Result<std::size_t> HttpParser::read_head(std::string_view input) {
  // RFC 9112 §2.2: an empty line before the request line is ignored.
  const std::size_t skipped = input.starts_with("\r\n") ? 2 : 0;
  const Result<std::size_t> size = find_end(input.substr(skipped));
  if (!size || *size == 0) return size;
  scanned_ = line_start_ = 0;

  head_.headers.clear();
  Grammar& grammar = slot_->grammar.emplace(head_);
  grammar.block_size(*size);
  error_code failure;
  grammar.put({input.data() + skipped, *size}, failure);
  if (failure) return explain(failure);
  if (!grammar.is_header_done()) return malformed("the head is cut short");
  if (const Result<void> understood = understand(); !understood) return understood.error();
  head_.keep_alive = grammar.keep_alive();
  return skipped + *size;
}

// RFC 9112 §6. Beast lets pass an encoding that does not end in `chunked` as if there were no
// body, and a list of equal lengths; a proxy in front may see that otherwise.
Result<void> HttpParser::understand() {
  if (head_.target.size() > limits_.request_target) {
    return error(Errc::target_too_long, "the request target is over the limit request_target");
  }
  head_.expects_continue = upgrade_listed_ = websocket_listed_ = false;
  head_.content_length.reset();
  lengths_ = encodings_ = 0;
  host_ = nullptr;
  for (rest::Header& header : head_.headers) {
    if (const Result<void> noted = note(header); !noted) return noted;
  }
  if (lengths_ > 1) return malformed("Content-Length is sent twice");
  if (encodings_ > 1) return malformed("Transfer-Encoding is sent twice");
  if (lengths_ + encodings_ > 1) {
    return malformed("both Content-Length and Transfer-Encoding are sent");
  }
  head_.chunked = encodings_ == 1;
  if (head_.chunked && !head_.http_1_1) return malformed("HTTP/1.0 knows no Transfer-Encoding");
  head_.wants_websocket =
      head_.http_1_1 && head_.method == "GET" && websocket_listed_ && upgrade_listed_;
  return resolve_host();
}

Result<void> HttpParser::note(rest::Header& header) {
  const auto is = [&header](std::string_view name) {
    return equal_ignoring_case(header.name, name);
  };
  switch (header.name.size()) {
    case 4:
      if (!is("host")) break;
      if (host_ != nullptr) return malformed("the header Host is sent twice");
      host_ = &header;
      break;
    case 6:
      if (!is("expect") || !head_.http_1_1) break;
      if (!equal_ignoring_case(header.value, "100-continue")) {
        return malformed("the only expectation that can be met is 100-continue");
      }
      head_.expects_continue = true;
      break;
    case 7:
      if (is("upgrade")) websocket_listed_ = lists(header.value, "websocket");
      break;
    case 10:
      if (is("connection")) upgrade_listed_ = upgrade_listed_ || lists(header.value, "upgrade");
      break;
    case 14:
      if (!is("content-length")) break;
      ++lengths_;
      head_.content_length = parse_unsigned(header.value, 1ull << 62);
      if (!head_.content_length) return malformed("Content-Length is not one decimal number");
      break;
    case 17:
      if (!is("transfer-encoding")) break;
      ++encodings_;
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
  if (host_ == nullptr && head_.http_1_1) return malformed("the header Host is missing");
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
  if (host_ != nullptr) {
    host_->value = authority;
  } else {
    head_.headers.push_back({"Host", authority});
  }
  return {};
}

Result<HttpParser::Chunks> HttpParser::read_chunks(std::string_view input, std::string& body,
                                                   std::size_t body_max) {
  Grammar& grammar = *slot_->grammar;
  grammar.collect(body, body_max);
  Chunks chunks{0, false};
  while (!grammar.is_done()) {
    const std::string_view rest = input.substr(chunks.taken);
    if (rest.empty()) return chunks;
    error_code failure;
    chunks.taken += grammar.put({rest.data(), rest.size()}, failure);
    if (grammar.too_large()) {
      return error(Errc::too_large, "the request body is over the limit request_body");
    }
    if (failure == http::error::need_more) return chunks;
    if (failure) return explain(failure);
  }
  chunks.complete = true;
  return chunks;
}

}  // namespace doctor::server
