#pragma once

#include <cstddef>
#include <cstdint>
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

/// Reads the heads of requests out of a stream of octets: pure, bytes in, values out. Strict where
/// two readers of one message could disagree on where it ends (RFC 9112 §11.2): Content-Length and
/// Transfer-Encoding at most once and not both, no obsolete line folding, no bare LF.
class HttpParser {
 public:
  explicit HttpParser(const Limits& limits) : limits_(limits) {}

  /// Looks for a head at the front of `input`, all that was received and not yet used.
  ///
  /// @return how many octets it takes, blank line included; 0 while more is needed.
  ///         Errors: invalid, target_too_long, headers_too_large; then the connection must end.
  Result<std::size_t> find_head(std::string_view input);
  /// Reads a head that was found; `head()` is then valid as long as its octets stay where they are.
  /// Errors: invalid, target_too_long; then the connection must end.
  Result<void> read_head(std::string_view octets);
  const HttpHead& head() const { return head_; }

 private:
  Result<void> read_request_line(std::string_view line);
  Result<void> read_fields(std::string_view lines);
  Result<void> note(rest::Header& header);
  Result<void> understand();
  Result<void> resolve_host();

  const Limits& limits_;
  HttpHead head_;
  std::size_t scanned_ = 0;     // octets in which no head ends
  std::size_t line_start_ = 0;  // where the line that `scanned_` is in begins

  // What the headers of the head at hand said.
  struct Seen {
    rest::Header* host = nullptr;
    std::size_t lengths = 0;    // how often Content-Length was sent
    std::size_t encodings = 0;  // and Transfer-Encoding
    bool close = false;
    bool keep_alive = false;
    bool upgrade = false;
    bool websocket = false;
  };
  Seen seen_;
};

/// Decodes a chunked body (RFC 9112 §7.1), however its octets come in pieces. Chunk extensions are
/// passed over, trailer fields checked and dropped.
class ChunkedBody {
 public:
  /// @param body_max      of all data together
  /// @param trailers_max  of all trailer fields together
  ChunkedBody(std::size_t body_max, std::size_t trailers_max)
      : body_max_(body_max), trailers_max_(trailers_max) {}

  /// Takes what it can use from the front of `input`, all that was received and not yet taken, and
  /// appends data to `body`.
  ///
  /// @return how many octets were taken. Errors: invalid, too_large.
  Result<std::size_t> take(std::string_view input, std::string& body);
  bool complete() const { return state_ == State::complete; }

 private:
  enum class State : std::uint8_t { size, data, end_of_data, trailers, complete };

  Result<void> read_size(std::string_view line, const std::string& body);
  Result<void> read_trailer(std::string_view line);

  std::size_t body_max_;
  std::size_t trailers_max_;
  State state_ = State::size;
  std::uint64_t remaining_ = 0;  // octets of the chunk at hand
};

}  // namespace doctor::server
