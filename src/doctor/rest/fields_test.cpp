#include "doctor/rest/fields.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

TEST(Fields, AreFoundInAnyCaseWithoutTheBlanksAroundThem) {
  std::forward_list<std::string> joined;
  const Header headers[] = {{"HOST", "example.org"}, {"if-match", " \"a\"\t"}, {"X-Other", "1"}};
  const Fields fields = parse_fields(headers, joined);
  EXPECT_EQ(fields.host, "example.org");
  EXPECT_EQ(fields.if_match, "\"a\"");
  EXPECT_FALSE(sent(fields.if_none_match));
}

TEST(Fields, ThatAreEmptyWereSent) {
  std::forward_list<std::string> joined;
  const Header headers[] = {{"SECRET", std::string_view()}, {"SESSION", " "}};
  const Fields fields = parse_fields(headers, joined);
  EXPECT_TRUE(sent(fields.secret));
  EXPECT_TRUE(sent(fields.session));
  EXPECT_EQ(fields.session, "");
}

TEST(Fields, ThatAreSentSeveralTimesAreJoined) {
  std::forward_list<std::string> joined;
  const Header headers[] = {
      {"Accept", "a/b"}, {"Prefer", "x"}, {"accept", "c/d"}, {"Prefer", "y"}, {"ACCEPT", "e/f"}};
  const Fields fields = parse_fields(headers, joined);
  EXPECT_EQ(fields.accept, "a/b, c/d, e/f");
  EXPECT_EQ(fields.prefer, "x, y");
}

TEST(Fields, ThatAreSentAThousandTimesCostTheirLength) {
  std::forward_list<std::string> joined;
  const std::vector<Header> headers(10'000, Header{"Accept", "a"});
  const Fields fields = parse_fields(headers, joined);
  EXPECT_EQ(fields.accept.size(), 3 * headers.size() - 2);
  std::size_t held = 0;
  for (const std::string& text : joined) held += text.capacity();
  EXPECT_LT(held, 4 * fields.accept.size());
}

}  // namespace
}  // namespace doctor::rest
