#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"

namespace doctor::server {

/// What a listener demands of its clients' certificates.
enum class VerifyClient : std::uint8_t {
  none,      ///< they are not asked for one
  optional,  ///< one that is shown must be good
  required,  ///< whoever shows no good one is refused in the handshake
};

/// "none", "optional" or "required".
std::optional<VerifyClient> parse_verify_client(std::string_view text);
/// What to say that was expected when it is none of them.
inline constexpr std::string_view verify_client_expected = "\"none\", \"optional\" or \"required\"";

/// The certificate of a TLS listener and what it asks of clients. The files hold PEM.
struct TlsSettings {
  std::string cert;  ///< the certificate, then those between it and the root
  std::string key;   ///< its key; may be the same file
  std::string ca;    ///< whose certificates clients may show; empty: nobody's
  VerifyClient verify_client = VerifyClient::none;

  bool operator==(const TlsSettings&) const = default;
};

/// A part of TlsSettings, as one source gives it; none: not given.
struct TlsChoice {
  std::optional<std::string> cert;
  std::optional<std::string> key;
  std::optional<std::string> ca;
  std::optional<VerifyClient> verify_client;

  /// What `first` gives, and for the rest what this gives. A certificate comes with its key, and a
  /// CA with what is demanded in its name: they are not mixed from two sources.
  TlsChoice after(const TlsChoice& first) const;

  /// With what follows from it: the key is in the file of the certificate, and a CA makes client
  /// certificates optional, unless said otherwise. Errc::invalid, for a message that goes on after
  /// a listener's name: no certificate, or a demand on clients without a CA.
  Result<TlsSettings> settled() const;
};

}  // namespace doctor::server
