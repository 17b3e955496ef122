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

}  // namespace
}  // namespace doctor
