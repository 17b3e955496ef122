#include "doctor/base/text.hpp"

#include <gtest/gtest.h>

namespace doctor {
namespace {

TEST(ParseUnsigned, TakesDigitsUpToTheMaximum) {
  EXPECT_EQ(parse_unsigned("0", 0), 0u);
  EXPECT_EQ(parse_unsigned("007", 7), 7u);
  EXPECT_EQ(parse_unsigned("18446744073709551615", UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(parse_unsigned("18446744073709551616", UINT64_MAX), std::nullopt);
  EXPECT_EQ(parse_unsigned("8", 7), std::nullopt);
  EXPECT_EQ(parse_unsigned("3", 2), std::nullopt);
  EXPECT_EQ(parse_unsigned("13", 12), std::nullopt);
  EXPECT_EQ(parse_unsigned("", 7), std::nullopt);
  EXPECT_EQ(parse_unsigned("+1", 7), std::nullopt);
}

TEST(IsUtf8, FindsWhatIsNotWhereverItStands) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t behind = 0; behind < 20; ++behind) {
      const auto within = [&](std::string_view what) {
        return std::string(before, 'a').append(what) + std::string(behind, '~');
      };
      for (const std::string_view good : {"", "é", "€", "\U0001F1E6", "\x7F", "\n", "\uFFFF"}) {
        EXPECT_TRUE(is_utf8(within(good))) << within(good);
      }
      for (const std::string_view bad :
           {"\x80", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xFF"}) {
        EXPECT_FALSE(is_utf8(within(bad))) << within(bad);
      }
    }
  }
}

TEST(HasControl, FindsOneWhereverItStands) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t behind = 0; behind < 20; ++behind) {
      const auto within = [&](std::string_view what) {
        return std::string(before, ' ').append(what) + std::string(behind, '~');
      };
      for (const std::string_view good : {"", "é", "\u00A0", "€", "\uFDCF", "\uFDF0", "\uFFFD"}) {
        EXPECT_FALSE(has_control(within(good))) << within(good);
      }
      using namespace std::string_view_literals;
      for (const std::string_view control :
           {"\0"sv, "\x01"sv, "\x1F"sv, "\x7F"sv, "\u0080"sv, "\u009F"sv, "\uFDD0"sv, "\uFDEF"sv,
            "\uFFFE"sv, "\U0010FFFF"sv}) {
        EXPECT_TRUE(has_control(within(control))) << within(control);
      }
    }
  }
}

}  // namespace
}  // namespace doctor
