#include "doctor/document/session.hpp"

#include "doctor/json/value.hpp"

namespace doctor::document {
namespace {

const FieldName& permissions_field() {
  static const FieldName name("permissions");
  return name;
}

const FieldName& expires_field() {
  static const FieldName name("expires");
  return name;
}

}  // namespace

Result<Session> parse_session(DocumentView document) {
  Session session;
  session.id = document.id();
  if (const auto value = document.find(permissions_field())) {
    auto permissions = Permissions::parse(*value);
    if (!permissions) return permissions.error();
    session.permissions = std::move(*permissions);
  }
  if (const auto value = document.find(expires_field())) {
    if (json::is_string(*value))
      session.expires = parse_rfc3339(json::unescape(json::content(*value)));
    if (!session.expires) {
      Error failure = invalid("expires is a time of RFC 3339, such as \"2030-12-31T23:59:59Z\"");
      failure.field = expires_field().name();
      return failure;
    }
  }
  return session;
}

const Permissions& Principal::permissions() const {
  static const Permissions everything = Permissions::everything();
  return kind == Kind::session ? session->permissions : everything;
}

}  // namespace doctor::document
