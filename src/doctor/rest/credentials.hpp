#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "doctor/base/time.hpp"
#include "doctor/document/session.hpp"
#include "doctor/document/view.hpp"
#include "doctor/engine/authority.hpp"
#include "doctor/rest/fields.hpp"
#include "doctor/rest/request.hpp"

namespace doctor::rest {

/// What a request asks of who sends it.
enum class Need : std::uint8_t {
  nothing,         ///< public
  reader,          ///< the secret or a known session
  connector_read,  ///< the secret, and not to read as a session: sessions, the export
  connector,       ///< the secret: every write
  scraper,         ///< the secret, as Bearer too: metrics
};

/// 401: why, and whether it was a failed login (a wrong secret or an unknown session) rather than a
/// request without credentials.
struct Refusal {
  bool failed_login = false;
  std::string detail{};
};

/// Who sends a request, by its headers `SECRET`, `SESSION` and `Authorization: Bearer`.
std::variant<Access, Refusal> judge_credentials(const Fields& fields, Need need,
                                                const engine::Authority& authority,
                                                const document::View& view, Timestamp now);

/// The same for a peer that another transport has let in: a session is looked up again and only
/// reads, also unsecured. The session's id in what is returned is the sender's own.
std::variant<Access, Refusal> judge_sender(const document::Principal& sender, Need need,
                                           const engine::Authority& authority,
                                           const document::View& view, Timestamp now);

/// The challenge of a 401 (RFC 9110 §11.6.1, RFC 6750 §3).
std::string_view challenge(Need need, bool failed_login);

}  // namespace doctor::rest
