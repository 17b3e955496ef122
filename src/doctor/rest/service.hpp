#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/login_throttle.hpp"
#include "doctor/base/time.hpp"
#include "doctor/engine/authority.hpp"
#include "doctor/engine/command.hpp"
#include "doctor/query/query.hpp"
#include "doctor/rest/http.hpp"
#include "doctor/store/store.hpp"

namespace doctor::rest {

struct Options {
  std::vector<std::string> cors_origins;   ///< "https://host[:port]", or "*"
  std::vector<std::string> allowed_hosts;  ///< besides addresses and localhost, when unsecured
  std::string version;                     ///< of Doctor, for `GET /`
};

/// A failed login: the answer, to be held back by what the throttle says of the peer.
struct FailedLogin {
  Response response;
};

struct Route;  // what a request is for; known to this room alone

/// A request that was let in and understood from its headers: its body may be read.
class Admitted {
 public:
  Admitted();
  explicit Admitted(std::shared_ptr<const Route> route);
  /// Whether the method and resource take a body that matters.
  bool wants_body() const;
  /// `/entities/{c}` and the like: the route as metrics and logs name it, never an id.
  std::string_view route_name() const;
  const Route& route() const { return *route_; }

 private:
  std::shared_ptr<const Route> route_;
};

/// A read that is ready to run. `large`: it may look at many documents, so run it where it does not
/// hold up others.
struct Read {
  bool large = false;
  std::optional<document::Revision> min_revision;  ///< wait for it first; then 503
};
struct Write {
  engine::Command command;
};
/// `GET /export`: the server streams it from a snapshot, a piece at a time (see Export).
struct ExportRead {
  std::vector<std::string> collections;  ///< none: all
};
/// What the server answers itself.
enum class Own : std::uint8_t { healthz, readyz, metrics };

/// HTTP without sockets: what a request means, what may be seen, and what is answered. Stateless but
/// for bounded caches; any thread. The steps of a request:
///
///   admit(head)              403, 401, 405, 400 (path), 404: on the headers alone
///   plan(admitted, body)     412 on its form, 415, 400: makes a Read, a Write or an answer
///   read(admitted, view)     runs a Read, or
///   written(admitted, out)   answers a Write once the engine has completed it
class Service {
 public:
  Service(const Options& options, const Limits& limits, const engine::Authority& authority,
          const store::Identity& identity);
  ~Service();

  /// @param view  the newest snapshot, for the session of the request
  std::variant<Admitted, Own, FailedLogin, Response> admit(const RequestHead& head,
                                                           const document::View& view,
                                                           Timestamp now) const;
  std::variant<Read, Write, ExportRead, Response> plan(Admitted& admitted, const RequestHead& head,
                                                       std::string body, Timestamp now) const;
  /// @param view  a snapshot at or after `min_revision`, everything in it; the session is looked up
  ///              in it again, so that what is seen and who sees it are of one revision
  Response read(const Admitted& admitted, const store::Snapshot& snapshot, Timestamp now) const;
  Response written(const Admitted& admitted, const Result<engine::Outcome>& outcome) const;

  /// Whether a WebSocket upgrade may go on: origin and host as for requests. An answer if not.
  std::optional<Response> refuse_upgrade(const RequestHead& head) const;

  /// A problem document for what the server itself finds wrong (408, 413, 431, 503, ...).
  static Response problem(const Error& error);

 private:
  class Impl;
  std::unique_ptr<const Impl> impl_;
};

/// The lines of an export (a JSON object `{"collection":..., "document":...}` each), made a piece at
/// a time from one snapshot.
class Export {
 public:
  Export(std::shared_ptr<const store::Snapshot> snapshot, std::vector<std::string> collections);
  ~Export();
  /// Appends about `bytes` more; false when there is nothing left.
  bool next(std::size_t bytes, std::string& out);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace doctor::rest
