#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace doctor {

using Digest = std::array<std::uint8_t, 32>;
using Key = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4).
Digest sha256(std::string_view bytes);

/// Whether two digests are the same, in a time that does not depend on where they differ.
/// Secrets are compared by their digests, so their length does not show either.
bool equal_in_constant_time(const Digest& a, const Digest& b);

/// The first hex digits of the SHA-256: how a session id may appear in logs and lists.
/// @param digits  even, at most 64
std::string fingerprint(std::string_view secret, std::size_t digits = 8);

/// Lower-case hex of any bytes.
std::string hex(std::string_view bytes);

/// `count` bytes of the system's generator; for keys, nonces and the store's identity only.
std::string random_bytes(std::size_t count);

/// AES-256-GCM with a random nonce: nonce (12 bytes), ciphertext, tag (16 bytes).
std::string seal(const Key& key, std::string_view plain);
/// What was sealed, or nothing if the text was not made with this key or was changed.
std::optional<std::string> open_sealed(const Key& key, std::string_view sealed);

/// Base64url without padding (RFC 4648 §5).
std::string base64url(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

/// Base64 with padding (RFC 4648 §4).
std::string base64(std::string_view bytes);
/// SHA-1, 20 octets: for the handshake of WebSocket (RFC 6455 §4.2.2) and nothing else.
std::string sha1(std::string_view bytes);

/// A fast 64-bit hash (XXH3); not for secrets.
std::uint64_t hash64(std::string_view bytes);

}  // namespace doctor
