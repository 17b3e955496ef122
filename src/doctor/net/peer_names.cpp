#include "doctor/net/peer_names.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace doctor::net {
namespace {

template <auto Free>
struct Delete {
  template <class T>
  void operator()(T* freed) const {
    Free(freed);
  }
};

std::string_view octets_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// The last one is the most specific.
std::optional<std::string> common_name(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  int last = -1;
  for (int i = last; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;) last = i;
  if (last < 0) return std::nullopt;
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
  if (size < 0) return std::nullopt;
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return name;
}

std::string address_of(std::string_view octets) {
  namespace ip = boost::asio::ip;
  if (octets.size() == 4) {
    ip::address_v4::bytes_type bytes;
    std::copy(octets.begin(), octets.end(), bytes.begin());
    return ip::address_v4(bytes).to_string();
  }
  if (octets.size() != 16) return {};
  ip::address_v6::bytes_type bytes;
  std::copy(octets.begin(), octets.end(), bytes.begin());
  return ip::address_v6(bytes).to_string();
}

}  // namespace

std::vector<std::string> peer_names(const ssl_st& session) {
  std::vector<std::string> names;
  const X509* certificate = SSL_get0_peer_certificate(&session);
  if (certificate == nullptr) return names;
  // A name with a NUL in it is not what it seems to be.
  const auto add = [&](std::string name) {
    if (!name.empty() && name.find('\0') == name.npos) names.push_back(std::move(name));
  };
  if (auto name = common_name(*certificate)) add(std::move(*name));

  const std::unique_ptr<GENERAL_NAMES, Delete<GENERAL_NAMES_free>> others(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; others && i < sk_GENERAL_NAME_num(others.get()); ++i) {
    const GENERAL_NAME* other = sk_GENERAL_NAME_value(others.get(), i);
    if (other->type == GEN_DNS) add(std::string(octets_of(other->d.dNSName)));
    if (other->type == GEN_IPADD) add(address_of(octets_of(other->d.iPAddress)));
  }
  return names;
}

}  // namespace doctor::net
