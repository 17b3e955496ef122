#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/base/crypto.hpp"
#include "doctor/document/document.hpp"

namespace doctor::document {
namespace {

Result<Document> parse(std::string_view body, const Limits& limits = {}) {
  return parse_document(body, {}, limits);
}

Result<Document> put(std::string_view path_id, std::string_view body) {
  return parse_document(body, {IdRule::document, path_id}, Limits{});
}

std::string text(const Result<Document>& document) {
  return document ? std::string(document->view().text()) : "refused: " + document.error().detail;
}

Error refused(const Result<Document>& document) {
  EXPECT_FALSE(document) << text(document);
  return document ? Error{} : document.error();
}

// ---- one document

TEST(ParseDocument, KeepsTheOrderOfFieldsAndDropsBlanks) {
  EXPECT_EQ(text(parse(" { \"b\" : 1.0 ,\n\"id\":\"x\", \"a\":[ ] } ")),
            R"({"b":1.0,"id":"x","a":[]})");
}

TEST(ParseDocument, AnIntegerIdIsStoredAsItsDecimalText) {
  EXPECT_EQ(text(parse(R"({"id":123})")), R"({"id":"123"})");
  EXPECT_EQ(text(parse(R"({"id":-0})")), R"({"id":"0"})");
  EXPECT_EQ(text(parse(R"({"id":0})")), R"({"id":"0"})");
  EXPECT_EQ(text(parse(R"({"a":1,"id":-17,"b":2})")), R"({"a":1,"id":"-17","b":2})");
  const std::string digits(255, '9');
  EXPECT_EQ(text(parse("{\"id\":" + digits + "}")), "{\"id\":\"" + digits + "\"}");
  EXPECT_EQ(refused(parse("{\"id\":" + digits + "9}")).field, "id");
}

TEST(ParseDocument, AnIdOfAnotherTypeOrNoneIsRefused) {
  for (const char* bad : {"1.0", "1e0", "1E5", "null", "true", "[]", "{}", R"("")", R"("\n")",
                          R"("\u0000")", R"("\uffff")"}) {
    const Error failure = refused(parse(std::string(R"({"a":1,"id":)") + bad + "}"));
    EXPECT_EQ(failure.code, Errc::invalid);
    EXPECT_EQ(failure.field, "id");
  }
  EXPECT_EQ(refused(parse("{}")).field, "id");
  EXPECT_EQ(refused(parse(R"({"ID":"1"})")).field, "id");
  EXPECT_TRUE(parse("{\"id\":\"" + std::string(255, 'x') + "\"}"));
  EXPECT_FALSE(parse("{\"id\":\"" + std::string(256, 'x') + "\"}"));
}

TEST(ParseDocument, NamesAndTheIdGetTheirMinimalSpelling) {
  EXPECT_EQ(text(parse(R"({"\u0069d":"\u0041\/","n\u0061me":"\u0041","q\u0022":{"\u0061":1}})")),
            R"({"id":"A/","name":"\u0041","q\"":{"\u0061":1}})");
}

TEST(ParseDocument, AnIdLeftOutOfAPutIsPutFirst) {
  EXPECT_EQ(text(put("x\"y", R"({"a":1})")), R"({"id":"x\"y","a":1})");
  EXPECT_EQ(text(put("1", "{}")), R"({"id":"1"})");
  EXPECT_EQ(put("x\"y", R"({"a":1})")->view().id(), "x\"y");
  EXPECT_EQ(put("x", R"({"a":[2]})")->view().find(FieldName("a")), "[2]");
}

TEST(ParseDocument, AnIdInAPutMustMatchThePath) {
  EXPECT_EQ(text(put("1", R"({"a":1,"id":"1"})")), R"({"a":1,"id":"1"})");
  EXPECT_EQ(text(put("1", R"({"id":1})")), R"({"id":"1"})");
  EXPECT_EQ(text(put("a/b", R"({"id":"a\/b"})")), R"({"id":"a/b"})");
  EXPECT_EQ(refused(put("1", R"({"id":"2"})")).field, "id");
  EXPECT_EQ(refused(put("1", R"({"id":null})")).field, "id");
  EXPECT_EQ(refused(put("\n", "{}")).field, "id");
}

TEST(ParseDocument, AFieldNameIsRefusedWithTheField) {
  const std::string_view body = R"({"id":"1", "ok":{"_x.y@$":1}, "_x":1})";
  const Error failure = refused(parse(body));
  EXPECT_EQ(failure.code, Errc::invalid);
  EXPECT_EQ(failure.field, "_x");
  EXPECT_EQ(failure.offset, body.find("\"_x\":"));
  EXPECT_EQ(refused(parse(R"({"id":"1","":1})")).code, Errc::invalid);
  EXPECT_EQ(refused(parse(R"({"id":"1","a\u002eb":1})")).field, "a.b");
  EXPECT_TRUE(parse(R"({"id":"1","a":{"_x":1,"$":2,"a.b":3,"@":4,"":5}})"));
}

TEST(ParseDocument, SyntaxIsJudgedBeforeContent) {
  EXPECT_EQ(refused(parse(R"({"_x":1,"a":tru})")).offset, 15u);
  EXPECT_EQ(refused(parse(R"({"_x":1} x)")).offset, 9u);
  EXPECT_EQ(refused(parse("[1,]")).offset, 3u);
}

TEST(ParseDocument, WhatIsNoObjectIsRefused) {
  for (const char* body : {"[]", "1", "null", "\"{}\""}) {
    EXPECT_EQ(refused(parse(body)).offset, 0u) << body;
  }
  EXPECT_EQ(refused(parse("")).code, Errc::invalid);
  EXPECT_EQ(refused(parse(" ")).offset, 1u);
  EXPECT_EQ(refused(parse("{\"id\":\"\xFF\"}")).offset, 7u);
}

TEST(ParseDocument, AFieldTwiceIsRefusedWhereItStandsAgain) {
  EXPECT_EQ(refused(parse(R"({"id":"1","a":1,"\u0061":2})")).offset, 16u);
  EXPECT_EQ(refused(parse(R"({"id":"1","id":"1"})")).offset, 10u);
}

TEST(ParseDocument, LimitsAreNamed) {
  Limits limits;
  limits.document_size = 20;
  limits.document_fields = 3;
  limits.nesting = 3;
  EXPECT_TRUE(parse(R"({"id":"1","a":12345})", limits));
  EXPECT_TRUE(parse(R"({"id":"1", "a" : 12345})", limits));  // blanks do not count
  const Error size = refused(parse(R"({"id":"1","a":123456})", limits));
  EXPECT_EQ(size.code, Errc::too_large);
  EXPECT_NE(size.detail.find("document_size"), std::string::npos);

  EXPECT_TRUE(parse(R"({"id":"1","a":1,"b":2})", Limits{.document_fields = 3}));
  const Error fields =
      refused(parse(R"({"id":"1","a":1,"b":2,"c":3})", Limits{.document_fields = 3}));
  EXPECT_EQ(fields.code, Errc::invalid);
  EXPECT_NE(fields.detail.find("document_fields"), std::string::npos);
  EXPECT_FALSE(parse_document(R"({"a":1,"b":2,"c":3})", {IdRule::document, "1"},
                              Limits{.document_fields = 3}));

  EXPECT_TRUE(parse(R"({"id":"1","a":[{}]})", limits));
  const Error nesting = refused(parse(R"({"id":"1","a":[[[]]]})", limits));
  EXPECT_EQ(nesting.code, Errc::invalid);
  EXPECT_EQ(nesting.offset, 16u);
  EXPECT_NE(nesting.detail.find("nesting"), std::string::npos);
}

TEST(ParseDocument, TheDocumentsBracesAreTheFirstLevelOfNesting) {
  const auto nested = [](std::size_t levels) {
    return "{\"id\":\"1\",\"a\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') +
           "}";
  };
  EXPECT_TRUE(parse(nested(64)));
  EXPECT_FALSE(parse(nested(65)));
  EXPECT_TRUE(parse_documents("[" + nested(64) + "]", IdRule::document, Limits{}));
  EXPECT_FALSE(parse_documents("[" + nested(65) + "]", IdRule::document, Limits{}));
}

// ---- sessions

TEST(ParseDocument, ASessionsIdIsVisibleAsciiAndNeverShown) {
  const auto session = [](std::string_view body) {
    return parse_document(body, {IdRule::session, {}}, Limits{});
  };
  EXPECT_EQ(text(session(R"({"id":7})")), R"({"id":"7"})");
  EXPECT_EQ(refused(session(R"({"id":"a b"})")).field, "id");
  EXPECT_EQ(refused(session(R"({"id":"\u00e9"})")).field, "id");
  const Error failure = refused(session(R"({"id":"secret-secret-secret","_x":1})"));
  EXPECT_EQ(failure.field, "_x");
  EXPECT_EQ(failure.detail.find("secret"), std::string::npos);
}

// ---- many

std::vector<std::string> texts(const Result<std::vector<Document>>& documents) {
  std::vector<std::string> found;
  if (!documents) return {"refused: " + documents.error().detail};
  for (const Document& document : *documents) found.emplace_back(document.view().text());
  return found;
}

Result<std::vector<Document>> bulk(std::string_view body, const Limits& limits = {}) {
  return parse_documents(body, IdRule::document, limits);
}

TEST(ParseDocuments, ReadsAnArray) {
  EXPECT_EQ(texts(bulk(R"( [ {"id":"1"} , {"a":[ ],"id":2} ] )")),
            (std::vector<std::string>{R"({"id":"1"})", R"({"a":[],"id":"2"})"}));
  EXPECT_TRUE(texts(bulk(" [ ] ")).empty());
}

TEST(ParseDocuments, RefusesWhatIsNoArrayOfDocuments) {
  EXPECT_EQ(bulk("{}").error().offset, 0u);
  EXPECT_EQ(bulk("").error().offset, 0u);
  EXPECT_EQ(bulk(R"([{"id":"1"},2])").error().offset, 12u);
  EXPECT_EQ(bulk(R"([{"id":"1"},[]])").error().offset, 12u);
  EXPECT_EQ(bulk(R"([{"id":"1"},])").error().offset, 12u);
  EXPECT_EQ(bulk(R"([{"id":"1"}{"id":"2"}])").error().offset, 11u);
  EXPECT_EQ(bulk(R"([{"id":"1"}] [])").error().offset, 13u);
  EXPECT_EQ(bulk(R"([{"id":"1"})").error().offset, 11u);
}

TEST(ParseDocuments, AnErrorNamesTheDocumentWhereItsIdIsKnown) {
  const auto at = [](std::string_view body) { return bulk(body).error(); };
  EXPECT_EQ(at(R"([{"id":"a"},{"id":"b","x":tru}])").id, "b");
  EXPECT_EQ(at(R"([{"id":"a"},{"\u0069d":7,"x":{"y":01}}])").id, "7");
  EXPECT_EQ(at(R"([{"id":"a"},{"x":tru,"id":"b"}])").id, "");
  EXPECT_EQ(at(R"([{"id":"a"},{"x":{"id":"c","y":tru}}])").id, "");
  EXPECT_EQ(at(R"([{"id":"a"},{"_x":1,"id":"b"}])").id, "b");
  EXPECT_EQ(at(R"([{"id":"a"},{"_x":1,"id":"b"}])").field, "_x");
  const Error none = at(R"([{"id":"a"},{"x":1}])");
  EXPECT_EQ(none.field, "id");
  EXPECT_EQ(none.id, "");
  EXPECT_EQ(none.offset, 12u);
}

TEST(ParseDocuments, SyntaxOfAllIsJudgedBeforeContentOfAny) {
  EXPECT_EQ(bulk(R"([{"_x":1},{"id":tru}])").error().offset, 19u);
  EXPECT_EQ(bulk(R"([1,{"id":tru}])").error().offset, 12u);
  EXPECT_EQ(bulk(R"([{"_x":1},{"_y":1}])").error().field, "_x");
}

TEST(ParseDocuments, TheSameIdTwiceIsRefused) {
  const Error failure = bulk(R"([{"id":"1"},{"id":"2"},{"a":1,"id":1}])").error();
  EXPECT_EQ(failure.code, Errc::invalid);
  EXPECT_EQ(failure.id, "1");
  EXPECT_EQ(failure.field, "id");
  EXPECT_EQ(failure.offset, 23u);
  const auto sessions =
      parse_documents(R"([{"id":"s3cr3t"},{"id":"s3cr3t"}])", IdRule::session, Limits{});
  EXPECT_EQ(sessions.error().id, fingerprint("s3cr3t"));
}

TEST(ParseDocuments, TheSameIdIsFoundAmongMany) {
  std::string body = "[";
  for (int i = 0; i < 10'000; ++i) body += "{\"id\":" + std::to_string(i) + "},";
  EXPECT_EQ(bulk(body + "{\"id\":\"x\"}]").value().size(), 10'001u);
  EXPECT_EQ(bulk(body + "{\"id\":\"4711\"}]").error().id, "4711");
}

TEST(ParseDocuments, TheirNumberIsBounded) {
  EXPECT_TRUE(bulk(R"([{"id":"1"},{"id":"2"}])", Limits{.bulk_documents = 2}));
  const auto refused_bulk =
      bulk(R"([{"id":"1"},{"id":"2"},{"id":"3"}])", Limits{.bulk_documents = 2});
  EXPECT_EQ(refused_bulk.error().code, Errc::invalid);
  EXPECT_NE(refused_bulk.error().detail.find("bulk_documents"), std::string::npos);
  EXPECT_EQ(bulk(R"([{"id":"12345678901234567890"}])", Limits{.document_size = 20}).error().code,
            Errc::too_large);
}

}  // namespace
}  // namespace doctor::document
