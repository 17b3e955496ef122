#include "doctor/rest/cursor.hpp"

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

constexpr Key key{1, 2, 3};

TEST(Cursor, GivesItsPositionBackForItsOwnQuery) {
  const std::string cursor = seal_cursor(key, 42, "behind \"m\"");
  EXPECT_EQ(open_cursor(key, 42, cursor), "behind \"m\"");
  EXPECT_EQ(open_cursor(key, 43, cursor), std::nullopt);
  EXPECT_EQ(open_cursor(Key{}, 42, cursor), std::nullopt);
}

TEST(Cursor, TellsNothing) {
  const std::string cursor = seal_cursor(key, 42, "secret");
  EXPECT_NE(cursor, seal_cursor(key, 42, "secret"));
  EXPECT_EQ(cursor.find("secret"), std::string::npos);
}

TEST(Cursor, ThatWasChangedIsNoticed) {
  const std::string cursor = seal_cursor(key, 42, "position");
  for (std::size_t at = 0; at < cursor.size(); ++at) {
    std::string changed = cursor;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(open_cursor(key, 42, changed), std::nullopt) << at;
    EXPECT_EQ(open_cursor(key, 42, cursor.substr(0, at)), std::nullopt) << at;
  }
  EXPECT_EQ(open_cursor(key, 42, cursor + "A"), std::nullopt);
  EXPECT_EQ(open_cursor(key, 42, "not base64!"), std::nullopt);
}

}  // namespace
}  // namespace doctor::rest
