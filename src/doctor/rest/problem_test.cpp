#include "doctor/rest/problem.hpp"

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

Response rendered(const Error& failure) {
  Response response;
  render_problem(failure, response);
  return response;
}

TEST(Problem, IsAProblemDocument) {
  Error failure = invalid("the value ends too early");
  failure.field = "name";
  failure.id = "7";
  failure.offset = 12;
  const Response response = rendered(failure);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.headers, "Content-Type: application/problem+json\r\n");
  EXPECT_EQ(response.body,
            "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
            "\"detail\":\"name: the value ends too early (id: "
            "7)\",\"field\":\"name\",\"offset\":12,\"id\":\"7\"}");
}

TEST(Problem, NamesTheFieldInWordsUnlessTheDetailDoes) {
  const auto detail_of = [](std::string_view field, std::string_view detail) {
    Error failure = invalid(std::string(detail));
    failure.field = field;
    const std::string body = rendered(failure).body;
    const auto at = body.find("\"detail\":\"") + 10;
    return body.substr(at, body.find("\",\"field\"", at) - at);
  };
  EXPECT_EQ(detail_of("where.a.$in", "an array is expected"), "where.a.$in: an array is expected");
  EXPECT_EQ(detail_of("expires", "`expires` is in the past"), "`expires` is in the past");
  EXPECT_EQ(detail_of("name", "a name.x must not be"), "name: a name.x must not be");
}

TEST(Problem, LeavesOutWhatDoesNotApply) {
  EXPECT_EQ(
      rendered(error(Errc::not_found, "gone")).body,
      "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"gone\"}");
}

TEST(Problem, ThatMayPassSaysWhenToRetry) {
  for (const Errc code : {Errc::unavailable, Errc::too_many}) {
    EXPECT_NE(rendered(error(code, "later")).headers.find("Retry-After: 1\r\n"), std::string::npos);
  }
}

TEST(Problem, IsUtf8WhateverThePeerSent) {
  EXPECT_NE(rendered(invalid("no \"\xFF\n\" here")).body.find("no \\\"?\\n\\\" here"),
            std::string::npos);
}

TEST(Status, OfEachErrorIsThatOfTheTable) {
  EXPECT_EQ(status_of(Errc::invalid), 400);
  EXPECT_EQ(status_of(Errc::unauthenticated), 401);
  EXPECT_EQ(status_of(Errc::forbidden), 403);
  EXPECT_EQ(status_of(Errc::not_found), 404);
  EXPECT_EQ(status_of(Errc::method_not_allowed), 405);
  EXPECT_EQ(status_of(Errc::not_acceptable), 406);
  EXPECT_EQ(status_of(Errc::timed_out), 408);
  EXPECT_EQ(status_of(Errc::conflict), 409);
  EXPECT_EQ(status_of(Errc::precondition_failed), 412);
  EXPECT_EQ(status_of(Errc::too_large), 413);
  EXPECT_EQ(status_of(Errc::target_too_long), 414);
  EXPECT_EQ(status_of(Errc::unsupported_type), 415);
  EXPECT_EQ(status_of(Errc::too_many), 429);
  EXPECT_EQ(status_of(Errc::headers_too_large), 431);
  EXPECT_EQ(status_of(Errc::internal), 500);
  EXPECT_EQ(status_of(Errc::unavailable), 503);
  EXPECT_EQ(status_of(Errc::out_of_space), 507);
}

}  // namespace
}  // namespace doctor::rest
