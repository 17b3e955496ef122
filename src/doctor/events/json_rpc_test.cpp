#include "doctor/events/json_rpc.hpp"

#include <gtest/gtest.h>

namespace doctor::events {
namespace {

// What a server makes of a text, answering each request with its method.
std::string answered(std::string_view text, const RpcLimits& limits = {}) {
  const RpcCalls calls = parse_calls(text, limits);
  std::vector<RpcResponse> responses;
  for (const auto& call : calls.calls) {
    if (const auto* request = std::get_if<RpcRequest>(&call)) {
      if (request->is_notification()) continue;
      responses.push_back({*request->id, "\"" + request->method + request->params + "\""});
    } else {
      responses.push_back(std::get<RpcResponse>(call));
      auto& error = std::get<RpcError>(responses.back().result);
      error.message.clear();
    }
  }
  return write_answers(responses, calls.is_batch);
}

std::string error(std::string id, int code) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"error":{"code":)" + std::to_string(code) +
         R"(,"message":""}})";
}

std::string result(std::string id, std::string method) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":")" + method + "\"}";
}

TEST(Requests, AreAnsweredWithTheirIdOfTheSameType) {
  for (const std::string id : {"1", "\"1\"", "null", "1.50", "\"\\u0041\""}) {
    EXPECT_EQ(answered(R"({"jsonrpc": "2.0", "method": "m", "id": )" + id + "}"), result(id, "m"));
  }
}

TEST(Requests, HaveParamsThatAreAnArrayOrAnObjectOrNone) {
  EXPECT_EQ(answered(R"({"jsonrpc":"2.0","method":"m","params":[1, 2],"id":1})"),
            result("1", "m[1,2]"));
  EXPECT_EQ(answered(R"({"jsonrpc":"2.0","method":"m","params":{},"id":1})"), result("1", "m{}"));
  EXPECT_EQ(answered(R"({"jsonrpc":"2.0","method":"m","params":1,"id":1})"), error("1", -32600));
}

TEST(Requests, OfAnotherVersionOrShapeAreInvalid) {
  EXPECT_EQ(answered(R"({"jsonrpc":"1.0","method":"m","id":7})"), error("7", -32600));
  EXPECT_EQ(answered(R"({"jsonrpc":2.0,"method":"m","id":7})"), error("7", -32600));
  EXPECT_EQ(answered(R"({"method":"m","id":7})"), error("7", -32600));
  EXPECT_EQ(answered(R"({"jsonrpc":"2.0","id":7})"), error("7", -32600));
  EXPECT_EQ(answered(R"({"jsonrpc":"2.0","method":1,"id":7})"), error("7", -32600));
  EXPECT_EQ(answered(R"({"jsonrpc":"2.0","method":"m","id":[7]})"), error("null", -32600));
  EXPECT_EQ(answered("1"), error("null", -32600));
  EXPECT_EQ(answered("\"x\""), error("null", -32600));
}

TEST(Requests, ThatAreNoJsonAreParseErrors) {
  for (const std::string_view text : {"", "{", "{'a':1}", R"({"id":1,"id":2})", "[1,", "\xFF"}) {
    EXPECT_EQ(answered(text), error("null", -32700)) << text;
  }
  EXPECT_EQ(answered(std::string(100, '[') + std::string(100, ']')), error("null", -32700));
}

TEST(Notifications, AreNeverAnswered) {
  EXPECT_EQ(answered(R"({"jsonrpc":"2.0","method":"m"})"), "");
  EXPECT_EQ(answered(R"([{"jsonrpc":"2.0","method":"m"},{"jsonrpc":"2.0","method":"n"}])"), "");
}

TEST(Batches, AreAnsweredByArraysWithoutTheNotifications) {
  EXPECT_EQ(answered(R"([{"jsonrpc":"2.0","method":"m","id":1},{"jsonrpc":"2.0","method":"n"},
                         {"jsonrpc":"2.0","method":"o","id":2}])"),
            "[" + result("1", "m") + "," + result("2", "o") + "]");
  EXPECT_EQ(answered(R"([{"jsonrpc":"2.0","method":"m","id":1}])"), "[" + result("1", "m") + "]");
}

TEST(Batches, ThatAreEmptyOrOverTheLimitAreOneInvalidRequest) {
  EXPECT_EQ(answered("[]"), error("null", -32600));
  EXPECT_EQ(answered("[1,2,3]", {2, 64}), error("null", -32600));
}

TEST(Batches, OfWhatAreNoCallsAreAnsweredOneByOne) {
  EXPECT_EQ(answered("[1,2]"), "[" + error("null", -32600) + "," + error("null", -32600) + "]");
}

TEST(Answers, AreReadAloneOrInABatch) {
  const RpcResponse one{"1", "true"};
  EXPECT_EQ(parse_answers(R"({"jsonrpc":"2.0","id":1,"result":true})").value().at(0),
            (std::variant<RpcRequest, RpcResponse>(one)));
  EXPECT_EQ(parse_answers(R"([{"jsonrpc":"2.0","id":1,"result":true}])").value().at(0),
            (std::variant<RpcRequest, RpcResponse>(one)));
  EXPECT_FALSE(parse_answers("{"));
}

TEST(Answers, MayBeErrorsWhateverTheirShape) {
  const auto read = [](std::string_view text) {
    const auto answers = parse_answers(text).value();
    return std::get<RpcError>(std::get<RpcResponse>(answers.at(0)).result);
  };
  EXPECT_EQ(read(R"({"id":1,"error":{"code":5022,"message":"m","data":[1]}})"),
            (RpcError{5022, "m", "[1]"}));
  EXPECT_EQ(read(R"({"id":1,"error":"what"})").code, -32603);
  EXPECT_EQ(read(R"({"id":1,"error":{"code":"x"}})").code, -32603);
}

TEST(Answers, AreMixedWithNotifications) {
  const auto answers = parse_answers(
      R"([{"jsonrpc":"2.0","method":"|virt|VM_status|u","params":{"notify_time":1}},
          {"neither":1},7,{"id":2,"result":null,"error":null}])");
  ASSERT_EQ(answers->size(), 2u);
  EXPECT_EQ(std::get<RpcRequest>(answers->at(0)),
            (RpcRequest{std::nullopt, "|virt|VM_status|u", R"({"notify_time":1})"}));
  EXPECT_EQ(std::get<RpcResponse>(answers->at(1)), (RpcResponse{"2", "null"}));
}

TEST(Messages, ThatAreWrittenAreReadAsTheSame) {
  const RpcRequest request{"\"a\"", "say \"x\"\n", R"({"a":[1]})"};
  std::string text;
  write(text, request);
  EXPECT_EQ(std::get<RpcRequest>(parse_calls(text).calls.at(0)), request);
  const RpcResponse response{"1", RpcError{404, "not \"there\"", "{}"}};
  text.clear();
  write(text, response);
  EXPECT_EQ(std::get<RpcResponse>(parse_answers(text)->at(0)), response);
}

}  // namespace
}  // namespace doctor::events
