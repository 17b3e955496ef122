#include "doctor/server/tls_context.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string_view>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace doctor::server {
namespace {

// TLS 1.2 only with forward secrecy and authenticated encryption; those of TLS 1.3 all are so.
constexpr const char* ciphers_of_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Error wrong(std::string_view what, const std::string& file, std::string_view fault) {
  return invalid("TLS: the " + std::string(what) + " " + file + " " + std::string(fault));
}

Result<void> check_readable(std::string_view what, const std::string& file) {
  errno = 0;
  std::ifstream stream(file);
  if (stream && (stream.peek() != std::ifstream::traits_type::eof())) return {};
  const int why = errno;
  return wrong(what, file,
               why != 0 ? "cannot be read: " + std::string(std::strerror(why)) : "is empty");
}

// A server has nobody to ask: without this, OpenSSL would ask on the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// As ALPN writes them, each behind its length. Sessions keep their address.
constexpr std::array<std::string_view, 2> protocols = {"\x08http/1.1", "\x04mqtt"};

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

void TlsSessionDelete::operator()(ssl_st* session) const {
  SSL_free(session);
}

void TlsContext::Delete::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

std::string tls_reason() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  const char* text = ERR_reason_error_string(code);
  return text == nullptr ? "unknown" : text;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsSettings& settings,
                                                           TlsProtocol protocol) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  if (auto read = made->read(settings, protocol); !read) return read.error();
  return std::shared_ptr<const TlsContext>(std::move(made));
}

TlsContext::TlsContext() : context_(SSL_CTX_new(TLS_server_method())) {}

Result<void> TlsContext::read(const TlsSettings& settings, TlsProtocol protocol) {
  ERR_clear_error();
  SSL_CTX* const context = context_.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, ciphers_of_1_2) != 1) {
    return error(Errc::internal, "TLS: OpenSSL cannot be used: " + tls_reason());
  }
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
  // Buffers are there only while there is something in them: an idle client needs none. What could
  // not be written at once is offered again later, perhaps from another place and with more.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);  // a record in one system call instead of two
  // Sessions are resumed by tickets, which clients keep. A cache here is what they could fill.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  static constexpr std::string_view id = "doctor";
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(id.data()),
                                 id.size());
  const std::string_view& own = protocols.at(static_cast<std::size_t>(protocol));
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, const_cast<std::string_view*>(&own));
  if (auto done = read_certificate(settings); !done) return done;
  if (auto done = read_key(settings); !done) return done;
  return read_ca(settings);
}

Result<void> TlsContext::read_certificate(const TlsSettings& settings) {
  if (auto done = check_readable("certificate", settings.cert); !done) return done;
  if (SSL_CTX_use_certificate_chain_file(context_.get(), settings.cert.c_str()) != 1) {
    return wrong("certificate", settings.cert,
                 "cannot be used (" + tls_reason() +
                     "): expected a PEM file that begins with the server's certificate, followed "
                     "by those between it and its root");
  }
  expires_ = time_of(X509_get0_notAfter(SSL_CTX_get0_certificate(context_.get())));
  return {};
}

Result<void> TlsContext::read_key(const TlsSettings& settings) {
  if (auto done = check_readable("key", settings.key); !done) return done;
  const Bio file(BIO_new_file(settings.key.c_str(), "r"), &BIO_free_all);
  bool asked = false;
  const Key key(PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, &asked),
                &EVP_PKEY_free);
  if (asked) {
    return wrong("key", settings.key,
                 "is protected by a passphrase, which nobody is there to type; `openssl pkey -in "
                 "KEY -out PLAIN` writes it without");
  }
  if (key == nullptr) {
    return wrong("key", settings.key, "holds no private key in PEM form (" + tls_reason() + ")");
  }
  if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1 ||
      SSL_CTX_check_private_key(context_.get()) != 1) {
    ERR_clear_error();
    return wrong("key", settings.key,
                 "does not belong to the certificate " + settings.cert +
                     ": give the key that this certificate was made for");
  }
  return {};
}

Result<void> TlsContext::read_ca(const TlsSettings& settings) {
  if (settings.verify_client == VerifyClient::none) return {};
  if (auto done = check_readable("CA", settings.ca); !done) return done;
  STACK_OF(X509_NAME)* names = nullptr;
  if (SSL_CTX_load_verify_file(context_.get(), settings.ca.c_str()) == 1) {
    names = SSL_load_client_CA_file(settings.ca.c_str());
  }
  if (names == nullptr) {
    return wrong("CA", settings.ca,
                 "cannot be used (" + tls_reason() +
                     "): expected a PEM file of the certificates that sign those of clients");
  }
  SSL_CTX_set_client_CA_list(context_.get(), names);
  const bool required = settings.verify_client == VerifyClient::required;
  SSL_CTX_set_verify(context_.get(),
                     SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return {};
}

TlsSession TlsContext::begin(int socket) const {
  TlsSession session(SSL_new(context_.get()));
  if (session == nullptr || SSL_set_fd(session.get(), socket) != 1) return nullptr;
  SSL_set_accept_state(session.get());
  return session;
}

}  // namespace doctor::server
