#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/document.hpp"
#include "doctor/document/permissions.hpp"

namespace doctor::document {

/// A logged-in reader, as its document says.
struct Session {
  std::string id;
  Permissions permissions;
  std::optional<Timestamp> expires;  ///< from then on it is unknown to readers

  bool expired(Timestamp now) const { return expires && *expires <= now; }
};

/// Reads `permissions` and `expires` of a session's document. Errc::invalid naming the field:
/// permissions of another shape, an `expires` that is not RFC 3339. That it lies in the past is
/// judged by the command that writes it.
Result<Session> parse_session(DocumentView document);

/// RFC 3339 §5.6 date-time, with any offset and any number of second fractions (cut to
/// milliseconds; a leap second counts as the next one).
std::optional<Timestamp> parse_rfc3339(std::string_view text);
/// The same in UTC: `2026-01-31T12:00:00.000Z`.
std::string to_rfc3339(Timestamp time);

/// Who asks: the one value that every transport makes of credentials, and that decides what is
/// seen.
struct Principal {
  enum class Kind : std::uint8_t { connector, session, anyone };

  Kind kind = Kind::anyone;  ///< `anyone`: Doctor runs unsecured, and everything is public
  /// Only for a session.
  std::shared_ptr<const Session> session;

  bool may_write() const { return kind != Kind::session; }
  const Permissions& permissions() const;
};

}  // namespace doctor::document
