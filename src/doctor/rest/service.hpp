#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/session.hpp"
#include "doctor/document/view.hpp"
#include "doctor/engine/authority.hpp"
#include "doctor/engine/command.hpp"
#include "doctor/rest/clients.hpp"
#include "doctor/rest/direct_request.hpp"
#include "doctor/rest/http.hpp"
#include "doctor/rest/request.hpp"
#include "doctor/store/store.hpp"

namespace doctor::rest {

struct Options {
  std::vector<std::string> cors_origins{};   ///< "https://host[:port]", or "*"
  std::vector<std::string> allowed_hosts{};  ///< besides addresses and localhost, when unsecured
  std::string version{};                     ///< of Doctor, for `GET /`
};

/// A failed login: the answer, to be held back by what the throttle says of the peer.
struct FailedLogin {
  Response response;
};

/// A request that was let in and understood from its headers: its body may be read. Refers to the
/// head of the request, which must outlive it; one that was direct refers to nothing.
class Admitted {
 public:
  bool is_read() const;
  /// Whether the method and resource take a body that matters; another is to be thrown away.
  bool wants_body() const;
  /// How long the body may be; for a longer one the answer is `Service::body_too_large`.
  std::size_t body_max(const Limits& limits) const;
  /// `/entities/{c}` and the like: the route as metrics and logs name it, never an id.
  std::string_view route_name() const;

  /// For this room alone.
  Request& request() { return request_; }
  const Request& request() const { return request_; }

 private:
  Request request_;
};

/// A read that is ready to run.
struct Read {
  /// It may look at many documents: run it where it does not hold up others.
  bool large = false;
  /// Wait for it first, up to `min_revision_wait`, then call `read` all the same: it answers 503 if
  /// the snapshot is older.
  std::optional<document::Revision> min_revision;
};
struct Write {
  engine::Command command;
};
/// `GET /export`: the server streams it from a snapshot, a piece at a time (see Export), behind the
/// head that `Service::export_head` makes.
struct ExportRead {
  std::vector<std::string> collections;  ///< none: all
};
/// What the server answers itself, to GET and HEAD.
enum class Own : std::uint8_t { healthz, readyz, metrics };

/// HTTP without sockets: what a request means, what may be seen, and what is answered. Stateless
/// but for bounded caches; any thread. The steps of a request:
///
///   admit(head)              403, 401, 405, 400 (path), 412: on the headers alone
///   plan(admitted, body)     415, 400: makes a Read, a Write, another thing to do, or an answer
///   read(admitted, view)     runs a Read, or
///   written(admitted, out)   answers a Write once the engine has completed it
///   told(admitted, reply)    answers a ClientsRequest with what the MQTT broker says
class Service {
 public:
  /// @param authority  outlives the service
  Service(const Options& options, const Limits& limits, const engine::Authority& authority,
          const store::Identity& identity);
  ~Service();

  /// @param view  everything at the newest revision: for the session of the request, for a first
  ///              look at its preconditions, and for the `Doctor-Revision` of errors
  std::variant<Admitted, Own, FailedLogin, Response> admit(const RequestHead& head,
                                                           const document::View& view,
                                                           Timestamp now) const;
  /// The same for a request that comes by another transport, from a sender that was judged when it
  /// connected: a session is looked up again, and reads only. All other steps are the same.
  std::variant<Admitted, Response> admit(DirectRequest direct, const document::Principal& sender,
                                         const document::View& view, Timestamp now) const;
  /// @param body  empty unless `wants_body`
  using Plan = std::variant<Read, Write, ExportRead, ClientsRequest, Response>;
  Plan plan(Admitted& admitted, std::string body, Timestamp now) const;
  /// @param view  a snapshot at or after `min_revision`, everything in it; the session is looked up
  ///              in it again, so that what is seen and who sees it are of one revision
  Response read(const Admitted& admitted, const document::View& view, Timestamp now) const;
  Response written(const Admitted& admitted, const Result<engine::Outcome>& outcome) const;
  Response told(const Admitted& admitted, const ClientsReply& reply) const;
  /// The head of an export's answer, its body still empty: the server sends that in pieces.
  Response export_head(const Admitted& admitted, document::Revision revision) const;

  /// The answer to an admitted request that the server itself could not carry out (408, 429,
  /// 503...).
  Response failed(const Admitted& admitted, const Error& error) const;
  /// 413 for a body over `body_max`.
  Response body_too_large(const Admitted& admitted) const;

  /// Whether a WebSocket upgrade may go on: origin and host as for requests. An answer if not.
  std::optional<Response> refuse_upgrade(const RequestHead& head) const;

  /// A problem document for what is wrong before a request is admitted (408, 413, 431, 503, ...).
  static Response problem(const Error& error);

 private:
  class Impl;
  std::unique_ptr<const Impl> impl_;
};

/// The lines of an export (a JSON object `{"collection":..., "document":...}` each), made a piece
/// at a time from one view, which sees everything.
class Export {
 public:
  /// @param collections  in this order; none: all, by name. One that does not exist has no lines.
  Export(std::shared_ptr<const document::View> view, std::vector<std::string> collections);
  ~Export();
  Export(Export&&) noexcept;
  Export& operator=(Export&&) noexcept;

  /// Appends lines until `out` has grown by at least `bytes`; false when there is nothing left.
  bool next(std::size_t bytes, std::string& out);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace doctor::rest
