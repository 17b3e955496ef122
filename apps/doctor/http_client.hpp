#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "doctor/base/result.hpp"

namespace doctor::app {

struct HttpRequest {
  std::string method;
  std::string target;  ///< from the first slash on, percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;  ///< empty: none is sent
};

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names as sent
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
  /// The first header of that name, whatever its case; empty if there is none.
  std::string_view header(std::string_view name) const;
};

/// What a client needs for https, as PEM files; empty: the system's certificates, none of its own.
struct TlsFiles {
  std::string ca;    ///< who signs servers' certificates
  std::string cert;  ///< the client's own
  std::string key;   ///< its key; empty: in the same file
};

/// One connection to a server, kept open between requests; for one thread.
class HttpClient {
 public:
  /// Takes the body of an answer piece by piece; false breaks off.
  using Sink = std::function<bool(std::string_view)>;

  /// @param server   "http://host:port" or "https://...", perhaps with a path in front of the API's
  /// @param headers  sent with every request
  HttpClient(std::string server, TlsFiles tls,
             std::vector<std::pair<std::string, std::string>> headers);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;

  /// Errc::unavailable if no whole answer came, with the reason; Errc::invalid if the server's
  /// address is none. An answer of any status is a success here.
  /// @param sink  gets the body of a 2xx answer instead of the reply; others are collected
  Result<HttpReply> send(const HttpRequest& request, const Sink& sink = {});

 private:
  struct Handle;
  std::string server_;
  TlsFiles tls_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace doctor::app
