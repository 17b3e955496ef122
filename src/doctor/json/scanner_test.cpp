#include "doctor/json/scanner.hpp"

#include <gtest/gtest.h>

namespace doctor::json {
namespace {

std::string taken(std::string_view text, std::uint32_t depth = 64) {
  auto result = compact(text, depth);
  return result ? *result : "refused: " + result.error().detail;
}

std::optional<std::uint64_t> refused_at(std::string_view text, std::uint32_t depth = 64) {
  const auto result = compact(text, depth);
  if (result || result.error().code != Errc::invalid) return std::nullopt;
  return result.error().offset;
}

TEST(Scanner, DropsBlanksOutsideStringsAndKeepsEveryOtherOctet) {
  EXPECT_EQ(taken(" { \"a\" : [ 1.0 , \"b c\\u0041\" ,\t{}\r\n] , \"d\":null } "),
            "{\"a\":[1.0,\"b c\\u0041\",{}],\"d\":null}");
}

TEST(Scanner, RefusesAKeyTwiceAfterUnescaping) {
  EXPECT_EQ(refused_at("{\"a\":1,\"b\":2,\"a\":3}"), 13u);
  EXPECT_EQ(refused_at("{\"a\":1,\"\\u0061\":3}"), 7u);
  EXPECT_EQ(taken("[{\"a\":1},{\"a\":2}]"), "[{\"a\":1},{\"a\":2}]");
}

}  // namespace
}  // namespace doctor::json
