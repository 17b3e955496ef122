#include "doctor/rest/prefer.hpp"

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

TEST(Prefer, ReturnMinimalIsFoundAmongOthers) {
  for (const auto field : {"return=minimal", "Return = Minimal", "respond-async, return=minimal",
                           "return=\"minimal\"", "wait=10; x=\"a,b\", return=minimal; foo"}) {
    EXPECT_TRUE(prefers_minimal(field)) << field;
  }
}

TEST(Prefer, AnythingElseIsIgnored) {
  for (const auto field : {"", "minimal", "return", "return=representation", "x=\"return=minimal\"",
                           "return=representation, return=minimal"}) {
    EXPECT_FALSE(prefers_minimal(field)) << field;
  }
}

}  // namespace
}  // namespace doctor::rest
