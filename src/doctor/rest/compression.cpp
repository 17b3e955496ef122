#include "doctor/rest/compression.hpp"

#include <memory>

#include <libdeflate.h>

#include "doctor/base/text.hpp"
#include "doctor/rest/list_field.hpp"

namespace doctor::rest {
namespace {

// The fastest level: answers are made for one reader, and it keeps up with what a query writes.
constexpr int level = 1;

struct Free {
  void operator()(libdeflate_compressor* compressor) const {
    libdeflate_free_compressor(compressor);
  }
  void operator()(libdeflate_decompressor* decompressor) const {
    libdeflate_free_decompressor(decompressor);
  }
};

// Deflate makes at most so many octets of one (RFC 1951: 258 of two bits).
constexpr std::size_t expansion_max = 1032;

// RFC 1952 §2.3.1: the size modulo 2^32, at the end.
std::size_t announced_size(std::string_view body) {
  std::size_t size = 0;
  for (std::size_t i = 1; i <= 4; ++i) {
    size = size << 8 | static_cast<unsigned char>(body[body.size() - i]);
  }
  return size;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  bool by_star = false;
  ListField codings(accept_encoding);
  while (const auto coding = codings.next()) {
    const bool allowed = !is_weight_zero(coding->parameters);
    if (equal_ignoring_case(coding->value, "gzip") ||
        equal_ignoring_case(coding->value, "x-gzip")) {
      return allowed;
    }
    if (coding->value == "*") by_star = allowed;
  }
  return by_star;
}

std::optional<std::string> gzip(std::string_view body) {
  if (body.size() < compression_min || body.size() > compression_max) return std::nullopt;
  // One a thread: it is large, and has no state between calls.
  thread_local const std::unique_ptr<libdeflate_compressor, Free> compressor(
      libdeflate_alloc_compressor(level));
  if (compressor == nullptr) return std::nullopt;
  std::string out(body.size() - body.size() / 8, '\0');
  const std::size_t size =
      libdeflate_gzip_compress(compressor.get(), body.data(), body.size(), out.data(), out.size());
  if (size == 0) return std::nullopt;
  out.resize(size);
  return out;
}

Result<std::string> gunzip(std::string_view body, std::size_t size_max) {
  const auto not_gzip = [] { return invalid("the body is not gzip"); };
  constexpr std::size_t frame = 18;  // its head and its end
  if (body.size() < frame) return not_gzip();
  const std::size_t announced = announced_size(body);
  if (announced / expansion_max > body.size()) return not_gzip();
  if (announced > size_max) {
    return error(Errc::too_large, "the body is longer than allowed once it is decompressed");
  }
  thread_local const std::unique_ptr<libdeflate_decompressor, Free> decompressor(
      libdeflate_alloc_decompressor());
  if (decompressor == nullptr) return error(Errc::unavailable, "there is no memory left");
  std::string out(announced, '\0');
  std::size_t read = 0;
  const auto result = libdeflate_gzip_decompress_ex(decompressor.get(), body.data(), body.size(),
                                                    out.data(), out.size(), &read, nullptr);
  if (result != LIBDEFLATE_SUCCESS || read != body.size()) return not_gzip();
  return out;
}

}  // namespace doctor::rest
