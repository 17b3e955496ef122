#include "doctor/document/names.hpp"

#include <string>

#include <gtest/gtest.h>

namespace doctor::document {
namespace {

TEST(CollectionName, Has1To64LettersDigitsUnderscoresAndHyphens) {
  EXPECT_TRUE(is_collection_name("vm"));
  EXPECT_TRUE(is_collection_name("-_azAZ09"));
  EXPECT_TRUE(is_collection_name(std::string(64, 'a')));
  EXPECT_FALSE(is_collection_name(std::string(65, 'a')));
  EXPECT_FALSE(is_collection_name(""));
  for (const char* bad : {"a b", "a.b", "a/b", "\u00e9", "a:", "$sessions", "@a", "a\n"}) {
    EXPECT_FALSE(is_collection_name(bad)) << bad;
  }
}

TEST(CollectionName, ThatOfSessionsIsNone) {
  EXPECT_FALSE(is_collection_name(sessions_collection));
}

TEST(DocumentId, Has1To255BytesWithoutControlCharacters) {
  EXPECT_TRUE(is_document_id("1"));
  EXPECT_TRUE(is_document_id("a b/c \"\\ \u00e9 \U0001F600 .@$_"));
  EXPECT_TRUE(is_document_id(std::string(255, 'a')));
  EXPECT_FALSE(is_document_id(std::string(256, 'a')));
  EXPECT_FALSE(is_document_id(""));
  EXPECT_FALSE(is_document_id(std::string(1, '\0')));
  for (const char* bad : {"a\n", "\x1F", "\x7F", "\u0080", "\u009f", "\uFDD0", "\uFDEF", "\uFFFE",
                          "a\uFFFF", "\U0001FFFE", "\U0010FFFF", "\xFF", "\xED\xA0\x80"}) {
    EXPECT_FALSE(is_document_id(bad)) << bad;
  }
  EXPECT_TRUE(is_document_id("\u00a0\uFDCF\uFDF0\uFFFD"));
}

TEST(SessionId, Has1To255VisibleAsciiCharacters) {
  EXPECT_TRUE(is_session_id("!~abc/\"\\"));
  EXPECT_TRUE(is_session_id(std::string(255, 'x')));
  for (const std::string bad : {"", "a b", "\x7F", "\u00e9", "\t"}) {
    EXPECT_FALSE(is_session_id(bad)) << bad;
  }
  EXPECT_FALSE(is_session_id(std::string(256, 'x')));
}

TEST(FieldName, MayBeAnythingElseThanItMustNotBe) {
  for (const std::string good : {"a", "id", "Display Name", "version/major", "a_$", "\u00e9\u20ac",
                                 "a\"b\\", "0", " ", "*", "a:b", "[x]", "#", "~"}) {
    EXPECT_TRUE(check_field_name(good)) << good;
  }
  EXPECT_TRUE(check_field_name(std::string(255, 'a')));
  for (const std::string bad : {"", "_a", "$a", "_", "a.b", ".", "a@b", "@a", "a\nb", "\x7F",
                                "\u0085", "\uFFFF", "\uFDD5x"}) {
    const auto checked = check_field_name(bad);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().code, Errc::invalid);
    EXPECT_EQ(checked.error().field, bad);
  }
  EXPECT_FALSE(check_field_name(std::string(1, '\0')));
}

TEST(FieldName, TooLongIsToldWithItsBeginning) {
  const auto checked = check_field_name(std::string(254, 'a') + "\u20ac\u20ac");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().field, std::string(254, 'a'));
}

TEST(FieldName, IsSpeltAsInADocumentsText) {
  const FieldName name("a \"b\" \\ \u20ac/");
  EXPECT_EQ(name.spelling(), "a \\\"b\\\" \\\\ \u20ac/");
  EXPECT_EQ(name.hash(), field_hash(name.spelling()));
  EXPECT_EQ(FieldName("a"), FieldName("a"));
}

}  // namespace
}  // namespace doctor::document
