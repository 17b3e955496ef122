#include "doctor/rest/media_type.hpp"

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

bool accepts_json(std::string_view accept) {
  return accepts(accept, "application", "json");
}

TEST(ContentType, OfJsonIsApplicationJsonOrAnyPlusJsonOrNone) {
  for (const auto type : {"", "application/json", "Application/JSON; charset=utf-8",
                          "application/vnd.example+json", "application/merge-patch+json"}) {
    EXPECT_TRUE(is_json_type(type)) << type;
  }
  for (const auto type : {"text/plain", "application/x-www-form-urlencoded", "text/json",
                          "application/jsonx", "application/+json", "json"}) {
    EXPECT_FALSE(is_json_type(type)) << type;
  }
}

TEST(ContentType, OfAPatchSaysItsKind) {
  using Kind = document::PatchKind;
  EXPECT_EQ(patch_kind(""), Kind::shallow);
  EXPECT_EQ(patch_kind("application/json; charset=utf-8"), Kind::shallow);
  EXPECT_EQ(patch_kind("application/merge-patch+json"), Kind::merge);
  EXPECT_EQ(patch_kind("APPLICATION/JSON-PATCH+JSON"), Kind::json_patch);
  EXPECT_EQ(patch_kind("application/vnd.example+json"), std::nullopt);
  EXPECT_EQ(patch_kind("text/plain"), std::nullopt);
}

TEST(Accept, WithoutTheHeaderEverythingIsAllowed) {
  EXPECT_TRUE(accepts_json(""));
}

TEST(Accept, RangesAllowWhatTheyCover) {
  EXPECT_TRUE(accepts_json("*/*"));
  EXPECT_TRUE(accepts_json("application/*"));
  EXPECT_TRUE(accepts_json("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
  EXPECT_TRUE(accepts_json("text/plain, Application/Json;q=0.1"));
  EXPECT_FALSE(accepts_json("text/html"));
  EXPECT_FALSE(accepts_json("application/xml, text/*"));
  EXPECT_FALSE(accepts_json("nonsense"));
}

TEST(Accept, TheMostSpecificRangeDecides) {
  EXPECT_FALSE(accepts_json("*/*, application/json;q=0"));
  EXPECT_FALSE(accepts_json("application/*;q=0.0, */*"));
  EXPECT_TRUE(accepts_json("*/*;q=0, application/json"));
}

}  // namespace
}  // namespace doctor::rest
