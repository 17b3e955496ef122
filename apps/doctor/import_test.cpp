#include "import.hpp"

#include <gtest/gtest.h>

namespace doctor::app {
namespace {

std::string made(std::string_view object, const ImportRules& rules) {
  const auto document = make_document(object, rules);
  return document ? document->collection + " " + document->text
                  : "error " + document.error().detail;
}

TEST(MakeDocument, WithACollectionTheObjectIsTheDocument) {
  EXPECT_EQ(made(R"({ "id": 1, "a" : [ ] })", {"vm", "", {}}), R"(vm {"id":1,"a":[]})");
}

TEST(MakeDocument, WithoutACollectionTheLineIsOfAnExport) {
  EXPECT_EQ(made(R"({"collection": "vm", "document": {"id": "1"}})", {}), R"(vm {"id":"1"})");
  EXPECT_TRUE(made(R"({"id": "1"})", {}).starts_with("error expected"));
  EXPECT_TRUE(made(R"({"collection": 1, "document": {}})", {}).starts_with("error expected"));
  EXPECT_TRUE(made(R"({"collection": "vm", "document": []})", {}).starts_with("error expected"));
}

TEST(MakeDocument, IdComesFromTheNamedFieldAndComesFirst) {
  EXPECT_EQ(made(R"({"name":"x","id":"old","code":"AT"})", {"country", "code", {}}),
            R"(country {"id":"AT","name":"x","code":"AT"})");
  EXPECT_EQ(made(R"({"name":"x"})", {"country", "code", {}}),
            "error there is no field code to take the id from");
}

TEST(MakeDocument, DroppedFieldsAreLeftOutWhateverTheirSpelling) {
  EXPECT_EQ(made(R"({"\u005fid":{"$oid":"f"},"id":"1","x":1,"y":2})", {"vm", "", {"_id", "y"}}),
            R"(vm {"id":"1","x":1})");
  EXPECT_EQ(made(R"({"_id":"1","x":1})", {"vm", "_id", {"_id"}}), R"(vm {"id":"1","x":1})");
}

TEST(MakeDocument, AMistakeHasItsOffset) {
  const auto document = make_document("{\"a\":1,\n\"b\":01}", {"vm", "", {}});
  ASSERT_FALSE(document);
  EXPECT_GE(document.error().offset.value_or(0), 12u);
}

TEST(Batch, KnowsTheLineOfEachDocument) {
  Batch batch;
  EXPECT_EQ(batch.body(), "[]");
  batch.add(R"({"id":"a"})", 3);
  batch.add(R"({"id":7})", 5);
  batch.add(R"({"id":"a"})", 9);
  EXPECT_EQ(batch.body(), R"([{"id":"a"},{"id":7},{"id":"a"}])");
  EXPECT_EQ(batch.line_of_offset(1), 3u);
  EXPECT_EQ(batch.line_of_offset(13), 5u);
  EXPECT_EQ(batch.line_of_offset(1000), 9u);
  EXPECT_EQ(batch.line_of_id("7"), 5u);
  EXPECT_EQ(batch.line_of_id("a"), 9u) << "the second of a pair is the one too many";
  EXPECT_EQ(batch.line_of_id("b"), 0u);
  EXPECT_EQ(batch.bytes_with(8), batch.body().size() + 1 + 8);
}

}  // namespace
}  // namespace doctor::app
