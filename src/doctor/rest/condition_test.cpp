#include "doctor/rest/condition.hpp"

#include <gtest/gtest.h>

#include "doctor/rest/entity_tag.hpp"

namespace doctor::rest {
namespace {

using document::Revision;

constexpr std::string_view store = "0a1b2c3d";

Fields with_match(std::string_view value) {
  Fields fields;
  fields.if_match = value;
  return fields;
}

Fields with_none_match(std::string_view value) {
  Fields fields;
  fields.if_none_match = value;
  return fields;
}

bool write_holds(std::string_view if_match, std::optional<Revision> revision) {
  return holds(*write_precondition(with_match(if_match), store), revision);
}

std::size_t count_tags(std::string_view field, bool& malformed) {
  EntityTags tags(field);
  std::size_t count = 0;
  while (tags.next()) ++count;
  malformed = tags.malformed();
  return count;
}

TEST(EntityTag, OfADocumentIsTheStoreAndTheRevision) {
  std::string tag;
  append_document_tag(tag, store, Revision{17}, false);
  EXPECT_EQ(tag, "\"0a1b2c3d-17\"");
  tag.clear();
  append_document_tag(tag, store, Revision{17}, true);
  EXPECT_EQ(tag, "\"0a1b2c3d-17-gzip\"");
}

TEST(EntityTag, OfADocumentTellsItsRevision) {
  EXPECT_EQ(revision_of_tag("0a1b2c3d-17", store), Revision{17});
  EXPECT_EQ(revision_of_tag("0a1b2c3d-17-gzip", store), Revision{17});
  for (const auto foreign : {"ffffffff-17", "0a1b2c3d-", "0a1b2c3d17", "0a1b2c3d-017", "0a1b2c3d-0",
                             "0a1b2c3d-17x", "0a1b2c3d-18446744073709551616", "", "-17"}) {
    EXPECT_EQ(revision_of_tag(foreign, store), std::nullopt) << foreign;
  }
}

TEST(EntityTags, AreAListOfQuotedTexts) {
  bool malformed = false;
  EXPECT_EQ(count_tags("\"a\"", malformed), 1u);
  EXPECT_FALSE(malformed);
  EXPECT_EQ(count_tags("\"a\" , W/\"b,c\",, \"\"", malformed), 3u);
  EXPECT_FALSE(malformed);
}

TEST(EntityTags, OfAnotherFormAreNoticed) {
  for (const auto bad : {"", "a", "\"a", "\"a\" \"b\"", "w/\"a\"", "\"a b\"", "\"a\", *",
                         "*, \"a\"", "\"a\x7F\"", "W/ \"a\""}) {
    bool malformed = false;
    count_tags(bad, malformed);
    EXPECT_TRUE(malformed) << bad;
  }
}

TEST(IfMatchOnAWrite, HoldsForTheRevisionItNames) {
  EXPECT_TRUE(write_holds("\"0a1b2c3d-17\"", Revision{17}));
  EXPECT_TRUE(write_holds("\"0a1b2c3d-5\", \"0a1b2c3d-17\"", Revision{17}));
  EXPECT_FALSE(write_holds("\"0a1b2c3d-16\"", Revision{17}));
  EXPECT_FALSE(write_holds("\"0a1b2c3d-17\"", std::nullopt));
}

TEST(IfMatchOnAWrite, IgnoresTheEndingOfTheCompressedForm) {
  EXPECT_TRUE(write_holds("\"0a1b2c3d-17-gzip\"", Revision{17}));
}

TEST(IfMatchOnAWrite, AStarHoldsForAnyDocumentThatIsThere) {
  EXPECT_TRUE(write_holds("*", Revision{17}));
  EXPECT_FALSE(write_holds("*", std::nullopt));
}

TEST(IfMatchOnAWrite, WeakTagsAndThoseOfAnotherStoreNeverMatch) {
  EXPECT_FALSE(write_holds("W/\"0a1b2c3d-17\"", Revision{17}));
  EXPECT_FALSE(write_holds("\"ffffffff-17\"", Revision{17}));
}

TEST(IfMatchOnAWrite, OfAnotherFormIsAnError) {
  const auto judged = write_precondition(with_match("17"), store);
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().code, Errc::invalid);
  EXPECT_EQ(judged.error().field, "If-Match");
}

TEST(IfNoneMatchOnAWrite, TakesOnlyAStar) {
  const auto judged = write_precondition(with_none_match(" * "), store);
  ASSERT_TRUE(judged);
  EXPECT_TRUE(holds(*judged, std::nullopt));
  EXPECT_FALSE(holds(*judged, Revision{1}));
  EXPECT_FALSE(write_precondition(with_none_match("\"0a1b2c3d-17\""), store));
}

TEST(IfNoneMatchOnARead, ComparesWeakly) {
  const AnswerTag document(store, Revision{17});
  EXPECT_TRUE(document.matched(with_none_match("\"0a1b2c3d-17\"")));
  EXPECT_TRUE(document.matched(with_none_match("W/\"0a1b2c3d-17\"")));
  EXPECT_EQ(document.matched(with_none_match("\"x\", \"0a1b2c3d-17-gzip\"")), "0a1b2c3d-17-gzip");
  EXPECT_FALSE(document.matched(with_none_match("\"0a1b2c3d-16\"")));
  EXPECT_TRUE(document.matched(with_none_match("*")));
  const AnswerTag answer("abc");
  EXPECT_TRUE(answer.matched(with_none_match("W/\"abc\"")));
  EXPECT_TRUE(answer.matched(with_none_match("\"abc\"")));
  EXPECT_FALSE(answer.matched(with_none_match("W/\"abd\"")));
}

TEST(IfNoneMatchOnARead, OfAnotherFormMatchesNothing) {
  EXPECT_FALSE(AnswerTag("abc").matched(with_none_match("abc")));
}

TEST(IfMatchOnARead, ComparesStrongly) {
  const AnswerTag document(store, Revision{17});
  EXPECT_TRUE(document.meets_if_match(Fields{}));
  EXPECT_TRUE(document.meets_if_match(with_match("\"0a1b2c3d-17\"")));
  EXPECT_FALSE(document.meets_if_match(with_match("W/\"0a1b2c3d-17\"")));
  EXPECT_TRUE(AnswerTag("abc").meets_if_match(with_match("*")));
  EXPECT_FALSE(AnswerTag("abc").meets_if_match(with_match("W/\"abc\"")));
}

}  // namespace
}  // namespace doctor::rest
