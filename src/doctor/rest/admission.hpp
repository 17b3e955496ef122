#pragma once

#include <variant>

#include "doctor/base/limits.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/view.hpp"
#include "doctor/engine/authority.hpp"
#include "doctor/rest/service.hpp"
#include "doctor/store/store.hpp"

namespace doctor::rest {

/// What admission needs to know; all of it outlives it.
struct AdmissionContext {
  const Options& options;
  const Limits& limits;
  const engine::Authority& authority;
  const store::Identity& identity;
};

/// Judges a request by its head alone, in the order of the rules: its target's length, host and
/// origin, credentials, method, path, conditions.
std::variant<Admitted, Own, FailedLogin, Response> admit_request(const AdmissionContext& context,
                                                                 const RequestHead& head,
                                                                 const document::View& view,
                                                                 Timestamp now);

/// The same for a request that has no target and comes from no web page: by its sender, its names
/// and its conditions.
std::variant<Admitted, Response> admit_direct(const AdmissionContext& context, DirectRequest direct,
                                              const document::Principal& sender,
                                              const document::View& view, Timestamp now);

/// Host and origin alone; Errc::forbidden. Gives what Access-Control-Allow-Origin is to be.
Result<std::string_view> check_source(const AdmissionContext& context, const Fields& fields);

}  // namespace doctor::rest
