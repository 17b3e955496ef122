#include "doctor/server/tls_settings.hpp"

namespace doctor::server {

std::optional<VerifyClient> parse_verify_client(std::string_view text) {
  if (text == "none") return VerifyClient::none;
  if (text == "optional") return VerifyClient::optional;
  if (text == "required") return VerifyClient::required;
  return std::nullopt;
}

TlsChoice TlsChoice::after(const TlsChoice& first) const {
  TlsChoice both = first;
  if (!first.cert && !first.key) {
    both.cert = cert;
    both.key = key;
  }
  if (!first.ca) {
    both.ca = ca;
    if (!first.verify_client) both.verify_client = verify_client;
  }
  return both;
}

Result<TlsSettings> TlsChoice::settled() const {
  if (!cert) {
    return invalid(
        "there is no certificate for it: set tls.cert and tls.key (--tls-cert, --tls-key)");
  }
  TlsSettings settings;
  settings.cert = *cert;
  settings.key = key.value_or(*cert);
  settings.ca = ca.value_or("");
  settings.verify_client = verify_client.value_or(ca ? VerifyClient::optional : VerifyClient::none);
  if (settings.verify_client != VerifyClient::none && !ca) {
    return invalid(
        "client certificates are asked for, but not whose: set tls.ca (--tls-ca) to the "
        "certificates that sign them");
  }
  return settings;
}

}  // namespace doctor::server
