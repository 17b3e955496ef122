#include "doctor/server/repeats.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace doctor::server {
namespace {

using document::Revision;

class Repeating : public testing::Test {
 protected:
  void keep(std::string_view head, Revision revision, std::string_view text) {
    rest::Response response;
    response.repeatable = rest::Repeatable{revision, std::nullopt};
    repeats_->keep(head, response, text, nullptr);
  }
  std::string find(std::string_view head, Revision revision) {
    const Repeat* const answer = repeats_->find(head, revision);
    return answer == nullptr ? "(none)" : answer->text;
  }
  std::unique_ptr<Repeats> repeats_ = std::make_unique<Repeats>();
};

TEST_F(Repeating, TheSameHeadAtTheSameRevisionIsAnsweredAsBefore) {
  EXPECT_EQ(find("GET /a", Revision{1}), "(none)");
  keep("GET /a", Revision{1}, "A");
  keep("GET /b", Revision{1}, "B");
  EXPECT_EQ(find("GET /a", Revision{1}), "A");
  EXPECT_EQ(find("GET /b", Revision{1}), "B");
  EXPECT_EQ(find("GET /A", Revision{1}), "(none)");
}

TEST_F(Repeating, AnotherRevisionIsAnsweredAnew) {
  keep("GET /a", Revision{1}, "old");
  EXPECT_EQ(find("GET /a", Revision{2}), "(none)");
  keep("GET /a", Revision{2}, "new");
  EXPECT_EQ(find("GET /a", Revision{2}), "new");
  EXPECT_EQ(find("GET /a", Revision{1}), "(none)");
}

TEST_F(Repeating, WhatIsLargeIsNotKept) {
  const std::string head(Repeats::head_max + 1, 'h');
  keep(head, Revision{1}, "A");
  EXPECT_EQ(find(head, Revision{1}), "(none)");
  keep("GET /a", Revision{1}, std::string(Repeats::text_max + 1, 'x'));
  EXPECT_EQ(find("GET /a", Revision{1}), "(none)");
}

TEST_F(Repeating, ALargeBodyIsLeftToWhoKeepsIt) {
  auto body = std::make_shared<const std::string>(100'000, 'x');
  rest::Response response;
  response.repeatable = rest::Repeatable{Revision{1}, std::nullopt};
  repeats_->keep("GET /a", response, "head", body);
  EXPECT_EQ(repeats_->find("GET /a", Revision{1})->large.lock(), body);
  body.reset();
  EXPECT_TRUE(repeats_->find("GET /a", Revision{1})->is_large);
  EXPECT_EQ(repeats_->find("GET /a", Revision{1})->large.lock(), nullptr);
}

TEST_F(Repeating, NothingIsFoundWhereNothingWasKept) {
  EXPECT_EQ(find("GET /a", Revision{0}), "(none)");
  keep("GET /a", Revision{1}, "A");
  repeats_->clear();
  EXPECT_EQ(find("GET /a", Revision{1}), "(none)");
}

}  // namespace
}  // namespace doctor::server
