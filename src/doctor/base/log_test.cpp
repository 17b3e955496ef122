#include "doctor/base/log.hpp"

#include <gtest/gtest.h>

namespace doctor::log {
namespace {

constexpr Timestamp noon{1'769'860'800'123};

TEST(Log, ALineOfTextHasTimeLevelMessageAndFields) {
  EXPECT_EQ(render(Format::text, noon, Level::info, "listening", {{"port", "3000"}}),
            "2026-01-31T12:00:00.123Z info listening port=3000\n");
}

TEST(Log, AValueWithBlanksIsQuoted) {
  EXPECT_EQ(render(Format::text, noon, Level::warning, "odd", {{"why", "two words"}, {"e", ""}}),
            "2026-01-31T12:00:00.123Z warning odd why=\"two words\" e=\"\"\n");
}

TEST(Log, WhatAPeerSentCannotForgeALine) {
  EXPECT_EQ(render(Format::text, noon, Level::error, "bad", {{"got", "a\n2026 info \x1b[31m"}}),
            "2026-01-31T12:00:00.123Z error bad got=\"a\\u000a2026 info \\u001b[31m\"\n");
}

TEST(Log, AJsonLineIsOneObject) {
  EXPECT_EQ(render(Format::json, noon, Level::debug, "say \"hi\"", {{"path", "C:\\x"}}),
            "{\"time\":\"2026-01-31T12:00:00.123Z\",\"level\":\"debug\",\"message\":\"say "
            "\\\"hi\\\"\",\"path\":\"C:\\\\x\"}\n");
}

TEST(Log, LevelsAndFormatsAreReadByName) {
  EXPECT_EQ(parse_level("warning"), Level::warning);
  EXPECT_FALSE(parse_level("loud"));
  EXPECT_EQ(parse_format("json"), Format::json);
  EXPECT_FALSE(parse_format("xml"));
}

}  // namespace
}  // namespace doctor::log
