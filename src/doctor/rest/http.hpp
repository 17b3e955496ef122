#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "doctor/base/time.hpp"
#include "doctor/document/document.hpp"

namespace doctor::rest {

struct Header {
  std::string_view name;  ///< as sent; compared without regard to case
  std::string_view value;
};

/// A request whose header block is complete. All views live until the answer has been made: what
/// `admit` returns refers to them.
struct RequestHead {
  std::string_view method;
  std::string_view target;  ///< as sent, not decoded
  std::span<const Header> headers;
  std::string_view peer;  ///< the client's address, without port

  /// The first header of that name (any case); empty data() if there is none.
  std::string_view header(std::string_view name) const;
  bool has(std::string_view name) const { return header(name).data() != nullptr; }
};

/// What is said of an answer to a request without a body: at this revision of the store, and until
/// this time if there is one, the Service gives the same to every request with the same head.
struct Repeatable {
  document::Revision revision;
  std::optional<Timestamp> until;
};

/// An answer. The server adds Date, Content-Length and Connection, and writes head and body at
/// once. No Content-Length with 204 and 304, nor when there is no body and `send_body` is false:
/// the size is then not known.
struct Response {
  int status = 200;
  std::string headers;  ///< complete lines, each ending in CRLF
  std::string body;
  std::shared_ptr<const std::string> shared_body{};  ///< instead of `body`: many answers have it
  bool send_body = true;  ///< false for HEAD: Content-Length tells the body's size
  /// `/entities/{c}` and the like: the route as metrics and logs name it, never an id; static text.
  std::string_view route = "other";
  std::optional<Repeatable> repeatable{};

  void add(std::string_view name, std::string_view value);  ///< appends a header line
  /// The value of the first header of that name (spelt so); empty data() if there is none.
  std::string_view header(std::string_view name) const;
  std::string_view octets() const { return shared_body ? *shared_body : body; }
};

}  // namespace doctor::rest
