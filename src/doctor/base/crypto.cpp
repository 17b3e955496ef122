#include "doctor/base/crypto.hpp"

#include <memory>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <xxhash.h>

namespace doctor {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* octets(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// OpenSSL refuses these calls only when it has no memory or no generator: nothing can go on then.
void require(bool done) {
  if (!done) throw std::runtime_error("the cryptographic library failed");
}

}  // namespace

Digest sha256(std::string_view bytes) {
  // Looked up once, and with one context a thread: each request with a secret asks for a digest,
  // and OpenSSL's one call for it all takes several times as long as the digest itself.
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Digest digest{};
  require(EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1);
  require(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  require(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  return digest;
}

bool equal_in_constant_time(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string fingerprint(std::string_view secret, std::size_t digits) {
  const Digest digest = sha256(secret);
  return hex({reinterpret_cast<const char*>(digest.data()), digits / 2});
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto octet = static_cast<unsigned char>(c);
    text += digits[octet >> 4];
    text += digits[octet & 15];
  }
  return text;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  require(RAND_bytes(octets(bytes), static_cast<int>(count)) == 1);
  return bytes;
}

std::string seal(const Key& key, std::string_view plain) {
  const std::string nonce = random_bytes(nonce_size);
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  require(context != nullptr);
  require(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(),
                             octets(nonce)) == 1);
  std::string sealed = nonce + std::string(plain.size() + tag_size, '\0');
  int size = 0;
  require(EVP_EncryptUpdate(context.get(), octets(sealed) + nonce_size, &size, octets(plain),
                            static_cast<int>(plain.size())) == 1);
  int rest = 0;
  require(EVP_EncryptFinal_ex(context.get(), octets(sealed) + nonce_size + size, &rest) == 1);
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size,
                              octets(sealed) + nonce_size + plain.size()) == 1);
  return sealed;
}

std::optional<std::string> open_sealed(const Key& key, std::string_view sealed) {
  if (sealed.size() < nonce_size + tag_size) return std::nullopt;
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  require(context != nullptr);
  require(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(),
                             octets(sealed)) == 1);
  const std::size_t size = sealed.size() - nonce_size - tag_size;
  std::string plain(size, '\0');
  int taken = 0;
  require(EVP_DecryptUpdate(context.get(), octets(plain), &taken, octets(sealed) + nonce_size,
                            static_cast<int>(size)) == 1);
  std::string tag(sealed.substr(nonce_size + size));
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1);
  int rest = 0;
  if (EVP_DecryptFinal_ex(context.get(), octets(plain) + taken, &rest) != 1) return std::nullopt;
  return plain;
}

namespace {
constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
}

std::string base64url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) text += base64url_alphabet[bits >> (count - 6) & 63];
  }
  if (count > 0) text += base64url_alphabet[bits << (6 - count) & 63];
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = base64url_alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 255);
    }
  }
  // The bits that fill up the last character must be zero, or two texts would mean one value.
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return bytes;
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // the call ends it with a NUL
  text.resize(static_cast<std::size_t>(
      EVP_EncodeBlock(octets(text), octets(bytes), static_cast<int>(bytes.size()))));
  return text;
}

std::string sha1(std::string_view bytes) {
  std::string digest(20, '\0');
  unsigned int size = 0;
  require(EVP_Digest(bytes.data(), bytes.size(), octets(digest), &size, EVP_sha1(), nullptr) == 1);
  return digest;
}

std::uint64_t hash64(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace doctor
