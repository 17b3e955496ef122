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
};

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

}  // namespace doctor::rest
