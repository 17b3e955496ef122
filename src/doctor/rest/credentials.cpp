#include "doctor/rest/credentials.hpp"

#include "doctor/base/text.hpp"

namespace doctor::rest {
namespace {

using Kind = document::Principal::Kind;

// The token of `Authorization: Bearer`; no data() if there is none. Other schemes are not ours:
// they may be meant for a proxy on the way.
std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer";
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') return {};
  if (!equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return {};
  const std::string_view token = trimmed(authorization.substr(scheme.size()));
  return token.data() == nullptr ? std::string_view("") : token;
}

Refusal failed(std::string detail) {
  return {true, std::move(detail)};
}
Refusal missing(std::string detail) {
  return {false, std::move(detail)};
}

constexpr std::string_view unknown_session = "the session is not known, or no longer";

std::variant<Access, Refusal> judge_scraper(const Fields& fields,
                                            const engine::Authority& authority) {
  const std::string_view presented =
      sent(fields.secret) ? fields.secret : bearer_token(fields.authorization);
  if (!sent(presented)) {
    return missing("metrics need the secret, in the header SECRET or as Authorization: Bearer");
  }
  if (!authority.is_secret(presented)) return failed("the secret is wrong");
  return Access{Kind::connector};
}

}  // namespace

std::variant<Access, Refusal> judge_credentials(const Fields& fields, Need need,
                                                const engine::Authority& authority,
                                                const document::View& view, Timestamp now) {
  if (need == Need::nothing) return Access{Kind::anyone};
  if (need == Need::scraper) {
    if (!authority.secured()) return Access{Kind::anyone};
    return judge_scraper(fields, authority);
  }

  const std::string_view session =
      sent(fields.session) ? fields.session : bearer_token(fields.authorization);
  const auto is_known = [&] { return authority.session(view, session, now) != nullptr; };

  // Unsecured, everybody has the connector's privilege and SECRET is not looked at.
  bool is_connector = !authority.secured();
  if (!is_connector && sent(fields.secret)) {
    if (!authority.is_secret(fields.secret)) return failed("the secret is wrong");
    is_connector = true;
  }
  const Kind connector = authority.secured() ? Kind::connector : Kind::anyone;

  // With the right secret, a write does not look at the session.
  if (need == Need::connector && is_connector && authority.secured()) return Access{connector};
  if (sent(session)) {
    if (!is_known()) return failed(std::string(unknown_session));
    if (need == Need::reader) return Access{Kind::session, session};
    if (need == Need::connector_read) {
      return missing("a session may not read this; it needs the header SECRET alone");
    }
  }
  if (is_connector) return Access{connector};
  return missing(need == Need::reader
                     ? "reading needs a session, in the header SESSION or as Authorization: "
                       "Bearer, or the header SECRET"
                     : "this needs the connector's secret in the header SECRET");
}

std::variant<Access, Refusal> judge_sender(const document::Principal& sender, Need need,
                                           const engine::Authority& authority,
                                           const document::View& view, Timestamp now) {
  if (need == Need::nothing) return Access{Kind::anyone};
  switch (sender.kind) {
    case Kind::session:
      if (authority.session(view, sender.session->id, now) == nullptr) {
        return failed(std::string(unknown_session));
      }
      if (need == Need::reader) return Access{Kind::session, sender.session->id};
      return missing("a session only reads documents; this needs a connector's connection");
    case Kind::anyone:
      if (!authority.secured()) return Access{Kind::anyone};
      return missing("this needs a connection with credentials");
    case Kind::connector:
      break;
  }
  return Access{Kind::connector};
}

std::string_view challenge(Need need, bool failed_login) {
  // There is no registered scheme for a header of its own; a name that no browser knows makes none
  // of them ask for a password.
  if (need == Need::connector || need == Need::connector_read) return "Secret realm=\"doctor\"";
  return failed_login ? "Bearer realm=\"doctor\", error=\"invalid_token\""
                      : "Bearer realm=\"doctor\"";
}

}  // namespace doctor::rest
