#include "doctor/document/document.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/document/layout.hpp"

namespace doctor::document {
namespace {

Document parsed(std::string_view text) {
  return parse_document(text, {}, Limits{}).value();
}

std::string many_fields(int count) {
  std::string text = R"({"id":"x")";
  for (int i = 0; i < count; ++i) {
    text += ",\"field " + std::to_string(i) + "\":" + std::to_string(i);
  }
  return text + "}";
}

TEST(DocumentView, FieldsAreFoundByName) {
  const Document document = parsed(R"({ "id": 7, "a \"b\u0022": [1, 2], "n": null })");
  const DocumentView view = document.view();
  EXPECT_EQ(view.find(FieldName("id")), R"("7")");
  EXPECT_EQ(view.find(FieldName("a \"b\"")), "[1,2]");
  EXPECT_EQ(view.find(FieldName("n")), "null");
  EXPECT_EQ(view.find(FieldName("x")), std::nullopt);
  EXPECT_EQ(view.find(FieldName("")), std::nullopt);
}

TEST(DocumentView, GivesFieldsInTheirOrder) {
  const Document document = parsed(R"({"b":{"x":[1]},"id":"1","a":"y"})");
  const DocumentView view = document.view();
  ASSERT_EQ(view.field_count(), 3u);
  EXPECT_EQ(view.field(0).spelling, "b");
  EXPECT_EQ(view.field(0).value, R"({"x":[1]})");
  EXPECT_EQ(view.field(1).spelling, "id");
  EXPECT_EQ(view.field(1).value, R"("1")");
  EXPECT_EQ(view.field(2).spelling, "a");
  EXPECT_EQ(view.field(2).value, R"("y")");
}

TEST(DocumentView, EachOfManyFieldsIsFound) {
  const Document document = parsed(many_fields(5'000));
  for (int i = 0; i < 5'000; ++i) {
    EXPECT_EQ(document.view().find(FieldName("field " + std::to_string(i))), std::to_string(i));
  }
  EXPECT_EQ(document.view().find(FieldName("field 5000")), std::nullopt);
  EXPECT_TRUE(verify(document.stored()));
}

TEST(DocumentView, OneOfNothingHasNoFields) {
  EXPECT_EQ(DocumentView().field_count(), 0u);
  EXPECT_EQ(DocumentView().find(FieldName("id")), std::nullopt);
  EXPECT_EQ(DocumentView().text(), "");
}

TEST(Document, ItsRevisionIsGivenByTheCommit) {
  Document document = parsed(R"({"id":"1","a":2})");
  EXPECT_EQ(document.view().revision(), Revision(0));
  document.set_revision(Revision(0x1234567890ABCDEF));
  EXPECT_EQ(document.view().revision(), Revision(0x1234567890ABCDEF));
  EXPECT_EQ(document.view().text(), R"({"id":"1","a":2})");
  EXPECT_TRUE(verify(document.stored()));
}

TEST(Document, IsReadFromBytesOfAnyAlignment) {
  const Document document = parsed(R"({"id":"1","a":2})");
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const std::string moved = std::string(shift, 'x') + document.stored();
    const DocumentView view(std::string_view(moved).substr(shift));
    EXPECT_EQ(view.id(), "1");
    EXPECT_EQ(view.find(FieldName("a")), "2");
  }
}

TEST(Document, OfCheckedTextIsAsIfParsed) {
  const char* text = R"({"a":1,"id":"x\"y","b":[{}]})";
  EXPECT_EQ(Document::of_checked(text).stored(), parsed(text).stored());
}

TEST(Document, IsStoredAsTheFormatSays) {
  Document document = parsed(R"({"ab":1,"id":2})");
  document.set_revision(Revision(5));
  const auto hash = [](const char* name) {
    const std::uint16_t value = field_hash(name);
    return std::string{static_cast<char>(value & 0xFF), static_cast<char>(value >> 8)};
  };
  const std::string expected = std::string("\5\0\0\0\0\0\0\0", 8) +  // revision
                               std::string("\2\0\0\0", 4) +          // fields
                               std::string("\1\0\0\0", 4) +          // which one is the id
                               std::string("\2\0\0\0\2\0", 6) + hash("ab") +
                               std::string("\x09\0\0\0\2\0", 6) + hash("id") +
                               R"({"ab":1,"id":"2"})";
  EXPECT_EQ(document.stored(), expected);
}

TEST(FieldHash, StaysAsItIs) {
  // Stored documents hold these values.
  EXPECT_EQ(field_hash("id"), 27718);
  EXPECT_EQ(field_hash("name"), 39488);
  EXPECT_EQ(field_hash("Display Name"), 18747);
}

TEST(Verify, FindsEveryChangedOctetOfTheTable) {
  const Document document = parsed(R"({"id":"1","name":"vm","on":true})");
  const std::string good = document.stored();
  ASSERT_TRUE(verify(good));
  const std::size_t table_end = good.size() - document.view().text().size();
  for (std::size_t at = layout::field_count_at; at < table_end; ++at) {
    for (const int change : {1, 0x80}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ change);
      EXPECT_FALSE(verify(bad)) << at;
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(verify(good.substr(0, size)));
  EXPECT_FALSE(verify(good + " "));
  EXPECT_FALSE(verify(good + "x"));
}

TEST(Verify, FindsTextThatDoctorWouldNotHaveWritten) {
  for (const std::string text :
       {R"({"id":"1" ,"a":2})", R"({"id":"1","a":02})", R"({"id":"1","\u0061":2})",
        R"({"id":1,"a":2})", R"({"id":"\u0031","a":2})", R"({"id":"1","_":2})",
        R"({"id":"1","id":"1"})", R"({"ab":"1","a":2})", R"({"id":"1","a":"\n"})"}) {
    std::string stored(layout::header_size + 2 * sizeof(layout::Entry), '\0');
    layout::store(stored.data() + layout::field_count_at, std::uint32_t{2});
    stored += text;
    EXPECT_FALSE(verify(stored)) << text;
  }
}

TEST(FirstOctet, IsTheFirstSignificantOne) {
  EXPECT_EQ(first_octet(" \r\n\t{"), '{');
  EXPECT_EQ(first_octet("[1]"), '[');
  EXPECT_EQ(first_octet("x"), 'x');
  EXPECT_EQ(first_octet(" "), '\0');
  EXPECT_EQ(first_octet(""), '\0');
}

}  // namespace
}  // namespace doctor::document
