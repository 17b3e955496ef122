#include "doctor/rest/origin.hpp"

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

bool host_passes(std::string_view host, const std::vector<std::string>& allowed = {}) {
  return check_host(host, allowed).has_value();
}

bool origin_passes(std::string_view origin, std::string_view host,
                   const std::vector<std::string>& allowed = {}) {
  return judge_origin(origin, host, allowed).has_value();
}

TEST(Host, AnAddressOrLocalhostIsAnswered) {
  EXPECT_TRUE(host_passes("127.0.0.1:3000"));
  EXPECT_TRUE(host_passes("192.168.1.4"));
  EXPECT_TRUE(host_passes("[::1]:3000"));
  EXPECT_TRUE(host_passes("[fe80::1]"));
  EXPECT_TRUE(host_passes("localhost"));
  EXPECT_TRUE(host_passes("LocalHost:3000"));
}

TEST(Host, AnyOtherIsRefusedNamingTheSetting) {
  for (const auto host :
       {"evil.example", "evil.example:3000", "localhost.evil.example", "127.0.0.1.x", "127.1",
        "[localhost]", "::1", "[::1", "", ":3000", "127.0.0.1:1:2"}) {
    const auto judged = check_host(host, {});
    ASSERT_FALSE(judged) << host;
    EXPECT_EQ(judged.error().code, Errc::forbidden);
    EXPECT_NE(judged.error().detail.find("allowed_hosts"), std::string::npos);
  }
}

TEST(Host, ConfiguredOnesAreAnsweredWithAnyPortUnlessOneIsGiven) {
  EXPECT_TRUE(host_passes("doctor.example:81", {"doctor.example"}));
  EXPECT_TRUE(host_passes("DOCTOR.example", {"doctor.example"}));
  EXPECT_TRUE(host_passes("doctor.example:80", {"doctor.example:80"}));
  EXPECT_FALSE(host_passes("doctor.example:81", {"doctor.example:80"}));
}

TEST(Origin, NoneIsFine) {
  EXPECT_TRUE(origin_passes({}, "example.org"));
}

TEST(Origin, TheRequestsOwnHostAndPortIsFineWhateverTheScheme) {
  EXPECT_TRUE(origin_passes("http://example.org", "example.org"));
  EXPECT_TRUE(origin_passes("https://example.org", "example.org"));
  EXPECT_TRUE(origin_passes("https://example.org", "example.org:443"));
  EXPECT_TRUE(origin_passes("http://Example.org:3000", "example.org:3000"));
  EXPECT_TRUE(origin_passes("http://[::1]:3000", "[::1]:3000"));
}

TEST(Origin, AForeignOneIsRefusedNamingTheSetting) {
  for (const auto origin :
       {"http://evil.example", "http://example.org:3001", "null", "", "http://", "example.org",
        "http://example.org.evil.example", "http://example.org/", "http://user@example.org"}) {
    const auto judged = judge_origin(origin, "example.org", {});
    ASSERT_FALSE(judged) << origin;
    EXPECT_EQ(judged.error().code, Errc::forbidden);
    EXPECT_NE(judged.error().detail.find("cors_origins"), std::string::npos);
  }
}

TEST(Origin, AConfiguredOneIsAllowedByName) {
  EXPECT_EQ(judge_origin("https://app.example", "example.org", {"https://app.example"})->allow,
            "https://app.example");
  EXPECT_FALSE(origin_passes("http://app.example", "example.org", {"https://app.example"}));
  EXPECT_EQ(judge_origin("https://any.example", "example.org", {"*"})->allow, "*");
}

TEST(Origin, TheOwnOneNeedsNoAllowance) {
  EXPECT_EQ(judge_origin("http://example.org", "example.org", {"*"})->allow, "");
}

}  // namespace
}  // namespace doctor::rest
