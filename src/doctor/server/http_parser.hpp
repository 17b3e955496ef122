#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/rest/http.hpp"

namespace doctor::server {

/// A request's head and what it means for the connection (RFC 9112). The views point into the
/// input that was given.
struct HttpHead {
  std::string_view method;
  std::string_view target;  ///< in origin form: an absolute one has lost its scheme and authority
  std::vector<rest::Header> headers;
  bool http_1_1 = true;
  bool keep_alive = true;         ///< the connection may be used again
  bool expects_continue = false;  ///< Expect: 100-continue
  bool wants_websocket = false;   ///< GET with Connection: upgrade and Upgrade: websocket
  bool chunked = false;
  std::optional<std::uint64_t> content_length;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  rest::RequestHead request(std::string_view peer) const { return {method, target, headers, peer}; }
};

/// Reads requests out of a stream of octets: pure, bytes in, values out. Strict where two readers
/// of one message could disagree on where it ends (RFC 9112 §11.2): Content-Length and
/// Transfer-Encoding at most once and not both, no obsolete line folding, no bare LF.
class HttpParser {
 public:
  explicit HttpParser(const Limits& limits);
  ~HttpParser();

  /// Looks for a head at the front of `input`, all that was received and not yet used.
  ///
  /// @return how many octets it takes, blank line included; 0 while more is needed. Once it is not
  ///         0, `head()` is valid as long as those octets stay where they are.
  ///         Errors: invalid, target_too_long, headers_too_large; then the connection must end.
  Result<std::size_t> read_head(std::string_view input);
  const HttpHead& head() const { return head_; }

  /// What `read_chunks` took from its input, and whether that was the end of the body.
  struct Chunks {
    std::size_t taken;
    bool complete;
  };
  /// Decodes a chunked body: appends data to `body`, up to `body_max` octets altogether.
  /// Errors: invalid, too_large.
  Result<Chunks> read_chunks(std::string_view input, std::string& body, std::size_t body_max);

 private:
  class Grammar;  // Beast's parser, known to http_parser.cpp alone
  struct Slot;

  Result<std::size_t> find_end(std::string_view input);
  Result<void> understand();
  Result<void> note(rest::Header& header);
  Result<void> resolve_host();

  const Limits& limits_;
  HttpHead head_;
  std::size_t scanned_ = 0;     // octets in which no head ends
  std::size_t line_start_ = 0;  // where the line that `scanned_` is in begins
  std::unique_ptr<Slot> slot_;
  rest::Header* host_ = nullptr;
  std::size_t lengths_ = 0;    // how often Content-Length was sent
  std::size_t encodings_ = 0;  // and Transfer-Encoding
  bool upgrade_listed_ = false;
  bool websocket_listed_ = false;
};

}  // namespace doctor::server
