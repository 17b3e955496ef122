#include "doctor/rest/compression.hpp"

#include <random>

#include <gtest/gtest.h>
#include <libdeflate.h>

namespace doctor::rest {
namespace {

std::string inflated(const std::string& compressed, std::size_t size) {
  std::string out(size, '\0');
  libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
  const auto result = libdeflate_gzip_decompress(decompressor, compressed.data(), compressed.size(),
                                                 out.data(), out.size(), nullptr);
  libdeflate_free_decompressor(decompressor);
  return result == LIBDEFLATE_SUCCESS ? out : "(damaged)";
}

TEST(AcceptEncoding, AllowsGzipByNameOrByAStar) {
  for (const auto field : {"gzip", "GZIP", "x-gzip", "deflate, gzip;q=0.5", "*", "br, *;q=0.1"}) {
    EXPECT_TRUE(accepts_gzip(field)) << field;
  }
  for (const auto field : {"", "identity", "br, deflate", "gzipped"}) {
    EXPECT_FALSE(accepts_gzip(field)) << field;
  }
}

TEST(AcceptEncoding, AWeightOfZeroIsRespected) {
  for (const auto field : {"gzip;q=0", "gzip; q=0.000", "*, gzip;q=0", "*;q=0", "gzip;Q=0"}) {
    EXPECT_FALSE(accepts_gzip(field)) << field;
  }
  EXPECT_TRUE(accepts_gzip("*;q=0, gzip"));
  EXPECT_TRUE(accepts_gzip("gzip;q=0.001"));
}

TEST(Gzip, GivesTheBodyBack) {
  std::string body;
  while (body.size() < 100'000) body += "{\"name\":\"vm" + std::to_string(body.size()) + "\"},";
  const auto compressed = gzip(body);
  ASSERT_TRUE(compressed);
  EXPECT_LT(compressed->size(), body.size() / 2);
  EXPECT_EQ(inflated(*compressed, body.size()), body);
}

TEST(Gzip, IsNotForWhatItDoesNotMakeSmaller) {
  EXPECT_FALSE(gzip(std::string(compression_min - 1, 'a')));
  EXPECT_TRUE(gzip(std::string(compression_min, 'a')));
  std::mt19937 random(7);
  std::string noise(10'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  EXPECT_FALSE(gzip(noise));
}

TEST(Compression, AGzipBodyIsReadWithinItsBound) {
  std::string body;
  for (int i = 0; i < 1'000; ++i) body += "{\"id\":" + std::to_string(i) + "}";
  const auto compressed = gzip(body);
  ASSERT_TRUE(compressed);
  EXPECT_EQ(gunzip(*compressed, body.size()).value(), body);
  EXPECT_EQ(gunzip(*compressed, body.size() - 1).error().code, Errc::too_large);
}

TEST(Compression, WhatIsNotOneWholeGzipBodyIsRefused) {
  const std::string compressed = gzip(std::string(10'000, 'a')).value();
  for (std::size_t size = 0; size < compressed.size(); ++size) {
    EXPECT_FALSE(gunzip(compressed.substr(0, size), 1u << 20)) << size;
  }
  EXPECT_EQ(gunzip(compressed + compressed, 1u << 20).error().code, Errc::invalid);
  EXPECT_EQ(gunzip("{\"jsonrpc\":\"2.0\",\"method\":\"m\"}", 1u << 20).error().code, Errc::invalid);
}

}  // namespace
}  // namespace doctor::rest
