#include "doctor/document/session.hpp"

#include <string>

#include <gtest/gtest.h>

namespace doctor::document {
namespace {

Result<Session> session(std::string_view text) {
  return parse_session(parse_document(text, {IdRule::session, {}}, Limits{})->view());
}

TEST(Session, WithoutPermissionsMayReadNothing) {
  const Session plain = session(R"({"id":"abc","user":"bob"})").value();
  EXPECT_EQ(plain.id, "abc");
  EXPECT_FALSE(plain.permissions.may_read("vm", "1"));
  EXPECT_FALSE(plain.expires);
  EXPECT_FALSE(plain.expired(Timestamp(INT64_MAX)));
}

TEST(Session, HasPermissionsAndATimeWhenItExpires) {
  const Session some =
      session(R"({"id":"abc","permissions":{"vm":["1"]},"expires":"1970-01-01T00:00:01Z"})")
          .value();
  EXPECT_TRUE(some.permissions.may_read("vm", "1"));
  EXPECT_EQ(some.expires, Timestamp(1000));
  EXPECT_FALSE(some.expired(Timestamp(999)));
  EXPECT_TRUE(some.expired(Timestamp(1000)));
}

TEST(Session, WhatIsWrongIsToldWithItsField) {
  EXPECT_EQ(session(R"({"id":"a","permissions":[]})").error().field, "permissions");
  for (const char* bad : {"null", "0", "\"\"", "\"tomorrow\"", "\"2030-01-01\"", "[]"}) {
    const auto refused = session(std::string(R"({"id":"a","expires":)") + bad + "}");
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Errc::invalid);
    EXPECT_EQ(refused.error().field, "expires");
  }
}

TEST(Principal, OnlyASessionIsNarrowed) {
  Principal anyone;
  EXPECT_TRUE(anyone.may_write());
  EXPECT_TRUE(anyone.permissions().reads_everything());
  const Principal connector{Principal::Kind::connector, nullptr};
  EXPECT_TRUE(connector.may_write());
  EXPECT_TRUE(connector.permissions().reads_everything());
  const Principal reader{Principal::Kind::session,
                         std::make_shared<Session>(session(R"({"id":"a"})").value())};
  EXPECT_FALSE(reader.may_write());
  EXPECT_FALSE(reader.permissions().may_read("vm", "1"));
}

// ---- RFC 3339

std::int64_t time(std::string_view text) {
  const auto parsed = parse_rfc3339(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? parsed->value : -1;
}

TEST(Rfc3339, TheExamplesOfTheRfcAreRead) {
  EXPECT_EQ(time("1985-04-12T23:20:50.52Z"), 482196050520);
  EXPECT_EQ(time("1996-12-19T16:39:57-08:00"), 851042397000);
  EXPECT_EQ(time("1996-12-20T00:39:57Z"), 851042397000);
  EXPECT_EQ(time("1990-12-31T23:59:60Z"), 662688000000);
  EXPECT_EQ(time("1990-12-31T15:59:60-08:00"), 662688000000);
  EXPECT_EQ(time("1937-01-01T12:00:27.87+00:20"), -1041337172130);
}

TEST(Rfc3339, FractionsAreCutToMilliseconds) {
  EXPECT_EQ(time("1970-01-01T00:00:00.1Z"), 100);
  EXPECT_EQ(time("1970-01-01T00:00:00.0019Z"), 1);
  EXPECT_EQ(time("1970-01-01T00:00:00.123999999999999999999Z"), 123);
  EXPECT_EQ(time("1969-12-31T23:59:59.999Z"), -1);
}

TEST(Rfc3339, LettersMayBeSmall) {
  EXPECT_EQ(time("1970-01-01t00:00:00z"), 0);
}

TEST(Rfc3339, TheCalendarIsKept) {
  EXPECT_EQ(time("2000-02-29T00:00:00Z"), 951782400000);
  EXPECT_EQ(time("0000-01-01T00:00:00Z"), -62167219200000);
  EXPECT_EQ(time("9999-12-31T23:59:59.999Z"), 253402300799999);
  for (const char* bad :
       {"1900-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "2023-04-31T00:00:00Z",
        "2023-00-01T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-00T00:00:00Z",
        "2023-01-32T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z",
        "2023-01-01T00:00:61Z", "2023-01-01T00:00:60Z", "2023-01-01T23:59:60+01:00"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

TEST(Rfc3339, OtherFormsAreRefused) {
  const std::string good = "2023-01-02T03:04:05.678+01:30";
  EXPECT_TRUE(parse_rfc3339(good));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_rfc3339(good.substr(0, size))) << size;
  }
  for (const char* bad :
       {"", "2023-01-02", "2023-01-02T03:04:05", "2023-01-02 03:04:05Z", "2023-1-2T3:4:5Z",
        "2023-01-02T03:04Z", "2023-01-02T03:04:05.Z", "2023-01-02T03:04:05,5Z",
        "2023-01-02T03:04:05+0100", "2023-01-02T03:04:05+01", "2023-01-02T03:04:05+24:00",
        "2023-01-02T03:04:05+01:60", "2023-01-02T03:04:05ZZ", " 2023-01-02T03:04:05Z",
        "2023-01-02T03:04:05Z ", "+2023-01-02T03:04:05Z", "20230102T030405Z",
        "12023-01-02T03:04:05Z", "2023-01-02T-3:04:05Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

TEST(Rfc3339, IsWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(to_rfc3339(Timestamp(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(Timestamp(-1)), "1969-12-31T23:59:59.999Z");
  for (const char* text : {"1985-04-12T23:20:50.520Z", "2000-02-29T12:00:00.001Z",
                           "0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"}) {
    EXPECT_EQ(to_rfc3339(*parse_rfc3339(text)), text);
  }
}

}  // namespace
}  // namespace doctor::document
