#include "doctor/server/tls_context.hpp"

#include <array>
#include <ctime>
#include <string_view>

#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace doctor::server {
namespace {

// As ALPN writes them, each behind its length. Sessions keep their address.
constexpr std::array<std::string_view, 3> protocols = {"\x08http/1.1", "\x04mqtt", "\x05stomp"};

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void* own) {
  const std::string_view protocol = *static_cast<const std::string_view*>(own);
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size,
                            reinterpret_cast<const unsigned char*>(protocol.data()),
                            static_cast<unsigned>(protocol.size()), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsSettings& settings,
                                                           TlsProtocol protocol) {
  auto setup = make_tls_setup(TLS_server_method());
  if (!setup) return setup.error();
  std::shared_ptr<TlsContext> made(new TlsContext(std::move(*setup)));
  if (auto read = made->read(settings, protocol); !read) return read.error();
  return std::shared_ptr<const TlsContext>(std::move(made));
}

Result<void> TlsContext::read(const TlsSettings& settings, TlsProtocol protocol) {
  SSL_CTX* const setup = setup_.get();
  SSL_CTX_set_options(setup, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Sessions are resumed by tickets, which clients keep. A cache here is what they could fill.
  SSL_CTX_set_session_cache_mode(setup, SSL_SESS_CACHE_OFF);
  static constexpr std::string_view id = "doctor";
  SSL_CTX_set_session_id_context(setup, reinterpret_cast<const unsigned char*>(id.data()),
                                 id.size());
  const std::string_view& own = protocols.at(static_cast<std::size_t>(protocol));
  SSL_CTX_set_alpn_select_cb(setup, choose_protocol, const_cast<std::string_view*>(&own));
  if (auto done = use_certificate(*setup, settings.cert); !done) return done;
  expires_ = time_of(X509_get0_notAfter(SSL_CTX_get0_certificate(setup)));
  if (auto done = use_key(*setup, settings.key, settings.cert); !done) return done;
  return read_ca(settings);
}

Result<void> TlsContext::read_ca(const TlsSettings& settings) {
  if (settings.verify_client == VerifyClient::none) return {};
  if (auto done = use_ca(*setup_, settings.ca, "clients"); !done) return done;
  // What it holds is offered to clients, so that they know which certificate to show.
  SSL_CTX_set_client_CA_list(setup_.get(), SSL_load_client_CA_file(settings.ca.c_str()));
  const bool required = settings.verify_client == VerifyClient::required;
  SSL_CTX_set_verify(setup_.get(),
                     SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return {};
}

TlsSession TlsContext::begin(int socket) const {
  TlsSession session(SSL_new(setup_.get()));
  if (session == nullptr || SSL_set_fd(session.get(), socket) != 1) return nullptr;
  SSL_set_accept_state(session.get());
  return session;
}

}  // namespace doctor::server
