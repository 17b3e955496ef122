#include "doctor/document/document.hpp"

#include <gtest/gtest.h>

namespace doctor::document {
namespace {

Document parsed(std::string_view text) {
  return parse_document(text, {}, Limits{}).value();
}

std::vector<std::string> changed(std::string_view before, std::string_view after) {
  return changed_fields(parsed(before).view(), parsed(after).view());
}

using Names = std::vector<std::string>;

TEST(Document, FieldsAreFoundByName) {
  Document document = parsed("{ \"id\": 7, \"a \\\"b\\u0022\": [1, 2], \"n\": null }");
  const DocumentView view = document.view();
  EXPECT_EQ(view.text(), "{\"id\":\"7\",\"a \\\"b\\\"\":[1,2],\"n\":null}");
  EXPECT_EQ(view.id(), "7");
  EXPECT_EQ(view.find(FieldName("a \"b\"")), "[1,2]");
  EXPECT_EQ(view.find(FieldName("n")), "null");
  EXPECT_EQ(view.find(FieldName("x")), std::nullopt);
  document.set_revision(Revision(9));
  EXPECT_EQ(document.view().revision(), Revision(9));
  EXPECT_TRUE(verify(document.stored()));
}

TEST(Document, AnIdLeftOutOfAPutIsPutFirst) {
  const auto document = parse_document("{\"a\":1}", {IdRule::document, "x\"y"}, Limits{}).value();
  EXPECT_EQ(document.view().text(), "{\"id\":\"x\\\"y\",\"a\":1}");
  EXPECT_EQ(document.view().id(), "x\"y");
  EXPECT_EQ(document.view().find(FieldName("a")), "1");
  EXPECT_TRUE(verify(document.stored()));
}

TEST(Diff, NamesWhatWasAddedDiffersOrIsGone) {
  EXPECT_EQ(
      changed("{\"id\":\"1\",\"a\":1,\"b\":2,\"c\":3}", "{\"d\":4,\"id\":1,\"b\":2.0,\"a\":0}"),
      (Names{"d", "a", "c"}));
  EXPECT_EQ(changed("{\"id\":\"1\",\"a\":1}", "{\"a\":1e0,\"id\":1}"), Names{});
}

}  // namespace
}  // namespace doctor::document
