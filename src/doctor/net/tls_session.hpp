#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"

// OpenSSL's own names, so that its headers stay in the sources that call it.
struct ssl_st;
struct ssl_ctx_st;
struct ssl_method_st;

namespace doctor::net {

/// One connection's TLS, on top of a socket that it does not own.
struct TlsSessionDelete {
  void operator()(ssl_st* session) const;
};
using TlsSession = std::unique_ptr<ssl_st, TlsSessionDelete>;

/// What sessions of one kind have in common. Once it is set up any thread may use it.
struct TlsSetupDelete {
  void operator()(ssl_ctx_st* setup) const;
};
using TlsSetup = std::unique_ptr<ssl_ctx_st, TlsSetupDelete>;

/// The versions, ciphers and buffers that both ends of Doctor use: TLS 1.2 or newer.
/// @param method  which end: TLS_server_method() or TLS_client_method()
Result<TlsSetup> make_tls_setup(const ssl_method_st* method);

/// Reads a certificate, followed by those between it and its root, from a PEM file. As for the
/// others, Errc::invalid names the file, what is wrong with it and what to do.
Result<void> use_certificate(ssl_ctx_st& setup, const std::string& file);
/// Reads the key of the certificate that is in use.
/// @param certificate  the file of that one, for the message
Result<void> use_key(ssl_ctx_st& setup, const std::string& file, const std::string& certificate);
/// Trusts the certificates in a PEM file to sign those of peers.
/// @param whose  "clients", "servers": for the message
Result<void> use_ca(ssl_ctx_st& setup, const std::string& file, std::string_view whose);

/// OpenSSL's own words for what has just failed on this thread, and forgets it.
std::string tls_reason();

}  // namespace doctor::net
