#include "doctor/client/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "doctor/net/asio.hpp"

namespace doctor::client {

Result<net::TlsSetup> load_tls(const TlsOptions& options) {
  auto setup = net::make_tls_setup(TLS_client_method());
  if (!setup) return setup;
  SSL_CTX_set_verify(setup->get(), SSL_VERIFY_PEER, nullptr);
  if (options.ca.empty()) {
    SSL_CTX_set_default_verify_paths(setup->get());
  } else if (auto used = net::use_ca(**setup, options.ca, "servers"); !used) {
    return used.error();
  }
  if (options.certificate.empty()) return setup;
  if (auto used = net::use_certificate(**setup, options.certificate); !used) return used.error();
  const std::string& key = options.key.empty() ? options.certificate : options.key;
  if (auto used = net::use_key(**setup, key, options.certificate); !used) return used.error();
  return setup;
}

net::TlsSession begin_tls(ssl_ctx_st& setup, const TlsOptions& options, const std::string& host,
                          int socket) {
  net::TlsSession session(SSL_new(&setup));
  if (session == nullptr || SSL_set_fd(session.get(), socket) != 1) return nullptr;
  SSL_set_connect_state(session.get());
  const std::string& name = options.name.empty() ? host : options.name;
  net::error_code failure;
  net::asio::ip::make_address(name, failure);
  const bool is_address = !failure;
  // RFC 6066 §3: only names are told, no addresses.
  if (!is_address) {
    // As the macro SSL_set_tlsext_host_name, without its cast.
    SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name.c_str()));
  }
  if (!options.check_name) return session;
  X509_VERIFY_PARAM* const rules = SSL_get0_param(session.get());
  const int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str())
                             : X509_VERIFY_PARAM_set1_host(rules, name.c_str(), name.size());
  return set == 1 ? std::move(session) : nullptr;
}

std::string why_handshake_failed(const ssl_st& session) {
  const long verified = SSL_get_verify_result(&session);
  std::string why = net::tls_reason();
  if (verified != X509_V_OK) {
    why = std::string("the server's certificate: ") + X509_verify_cert_error_string(verified);
  }
  return "the TLS handshake failed: " + why;
}

}  // namespace doctor::client
