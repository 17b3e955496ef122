#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "doctor/base/limits.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/session.hpp"
#include "doctor/events/json_rpc.hpp"
#include "doctor/rest/service.hpp"
#include "doctor/rpc/methods.hpp"

namespace doctor::rpc {

class Parameters;

/// How long what is answered to one message may be: a quarter of what may wait for its sender.
inline std::size_t answers_max(const Limits& limits) {
  return limits.stomp_outbox_bytes / 4;
}

/// What is answered: the JSON of a result, or an error. To a notification it is not sent.
using Answer = decltype(events::RpcResponse::result);

/// A call that was understood and whose sender was let in. Refers to nothing outside it.
class Call {
 public:
  std::string_view method() const { return method_->name; }

 private:
  friend class Service;
  Call(const Method& method, rest::Admitted admitted)
      : method_(&method), admitted_(std::move(admitted)) {}

  const Method* method_;
  rest::Admitted admitted_;
};

/// A read that is ready to run: see rest::Read.
struct Read {
  Call call;
  bool large = false;
  std::optional<document::Revision> min_revision{};
};
struct Write {
  Call call;
  engine::Command command;
};

/// JSON-RPC without sockets: a call becomes a request of the document API, the answer to that the
/// call's result, so that both have one set of rules. Stateless but for what `rest` keeps; any
/// thread. The steps of a call:
///
///   plan(request, sender, view)   makes a Read, a Write, or an answer
///   read(call, view)              runs a Read, or
///   written(call, outcome)        answers a Write once the engine has completed it
class Service {
 public:
  /// @param rest     what requests are judged by
  /// @param version  of Doctor
  Service(std::shared_ptr<const rest::Service> rest, const Limits& limits, std::string version)
      : rest_(std::move(rest)), limits_(limits), version_(std::move(version)) {}

  /// @param sender  who was let in when it connected; what the call says cannot change that
  /// @param room    how long the answer to a read may be: a longer one is error 413
  /// @param view    everything at the newest revision
  using Plan = std::variant<Read, Write, Answer>;
  Plan plan(const events::RpcRequest& request, const document::Principal& sender, std::size_t room,
            const document::View& view, Timestamp now) const;
  /// @param view  a snapshot at or after `min_revision`, everything in it; a session is looked up
  /// in
  ///              it again
  Answer read(const Call& call, const document::View& view, Timestamp now) const;
  /// @param room  how long the answer may be: what would be longer tells the revision alone
  Answer written(const Call& call, const Result<engine::Outcome>& outcome, std::size_t room) const;

  /// The answer to a call that could not be carried out: its status, as over HTTP, as the code.
  static Answer failed(const Error& error);

 private:
  Plan plan_request(const Method& method, const Parameters& parameters,
                    const document::Principal& sender, std::size_t room, const document::View& view,
                    Timestamp now) const;

  std::shared_ptr<const rest::Service> rest_;
  const Limits limits_;
  const std::string version_;
};

}  // namespace doctor::rpc
