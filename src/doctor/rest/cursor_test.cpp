#include "doctor/rest/cursor.hpp"

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

constexpr Key key{1, 2, 3};

TEST(Cursor, GivesItsPositionBackToTheStoreThatMadeIt) {
  const std::string cursor = seal_cursor(key, "behind \"m\"");
  EXPECT_EQ(open_cursor(key, cursor), "behind \"m\"");
  EXPECT_EQ(open_cursor(Key{}, cursor), std::nullopt);
}

TEST(Cursor, TellsNothing) {
  const std::string cursor = seal_cursor(key, "secret");
  EXPECT_NE(cursor, seal_cursor(key, "secret"));
  EXPECT_EQ(cursor.find("secret"), std::string::npos);
}

TEST(Cursor, ThatWasChangedIsNoticed) {
  const std::string cursor = seal_cursor(key, "position");
  for (std::size_t at = 0; at < cursor.size(); ++at) {
    std::string changed = cursor;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(open_cursor(key, changed), std::nullopt) << at;
    EXPECT_EQ(open_cursor(key, cursor.substr(0, at)), std::nullopt) << at;
  }
  EXPECT_EQ(open_cursor(key, cursor + "A"), std::nullopt);
  EXPECT_EQ(open_cursor(key, "not base64!"), std::nullopt);
}

}  // namespace
}  // namespace doctor::rest
