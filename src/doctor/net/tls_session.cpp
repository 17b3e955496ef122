#include "doctor/net/tls_session.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

namespace doctor::net {
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

// There may be nobody to ask: without this, OpenSSL would ask on the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

void TlsSessionDelete::operator()(ssl_st* session) const {
  SSL_free(session);
}

void TlsSetupDelete::operator()(ssl_ctx_st* setup) const {
  SSL_CTX_free(setup);
}

std::string tls_reason() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  const char* text = ERR_reason_error_string(code);
  return text == nullptr ? "unknown" : text;
}

Result<TlsSetup> make_tls_setup(const ssl_method_st* method) {
  ERR_clear_error();
  TlsSetup setup(SSL_CTX_new(method));
  if (setup == nullptr || SSL_CTX_set_min_proto_version(setup.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(setup.get(), ciphers_of_1_2) != 1) {
    return error(Errc::internal, "TLS: OpenSSL cannot be used: " + tls_reason());
  }
  SSL_CTX_set_options(setup.get(), SSL_OP_NO_RENEGOTIATION);
  // Buffers are there only while there is something in them: an idle peer needs none. What could
  // not be written at once is offered again later, perhaps from another place and with more.
  SSL_CTX_set_mode(setup.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(setup.get(), 1);  // a record in one system call instead of two
  return setup;
}

Result<void> use_certificate(ssl_ctx_st& setup, const std::string& file) {
  if (auto done = check_readable("certificate", file); !done) return done;
  if (SSL_CTX_use_certificate_chain_file(&setup, file.c_str()) != 1) {
    return wrong("certificate", file,
                 "cannot be used (" + tls_reason() +
                     "): expected a PEM file that begins with the certificate, followed by those "
                     "between it and its root");
  }
  return {};
}

Result<void> use_key(ssl_ctx_st& setup, const std::string& file, const std::string& certificate) {
  if (auto done = check_readable("key", file); !done) return done;
  const Bio bio(BIO_new_file(file.c_str(), "r"), &BIO_free_all);
  bool asked = false;
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked), &EVP_PKEY_free);
  if (asked) {
    return wrong("key", file,
                 "is protected by a passphrase, which nobody is there to type; `openssl pkey -in "
                 "KEY -out PLAIN` writes it without");
  }
  if (key == nullptr) {
    return wrong("key", file, "holds no private key in PEM form (" + tls_reason() + ")");
  }
  if (SSL_CTX_use_PrivateKey(&setup, key.get()) != 1 || SSL_CTX_check_private_key(&setup) != 1) {
    ERR_clear_error();
    return wrong("key", file,
                 "does not belong to the certificate " + certificate +
                     ": give the key that this certificate was made for");
  }
  return {};
}

Result<void> use_ca(ssl_ctx_st& setup, const std::string& file, std::string_view whose) {
  if (auto done = check_readable("CA", file); !done) return done;
  if (SSL_CTX_load_verify_file(&setup, file.c_str()) != 1) {
    return wrong("CA", file,
                 "cannot be used (" + tls_reason() +
                     "): expected a PEM file of the certificates that sign those of " +
                     std::string(whose));
  }
  return {};
}

}  // namespace doctor::net
