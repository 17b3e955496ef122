#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/document/document.hpp"
#include "doctor/json/random_json.hpp"

namespace doctor::document {
namespace {

using Names = std::vector<std::string>;

Document parsed(std::string_view text) {
  return parse_document(text, {}, Limits{}).value();
}

Names changed(std::string_view before, std::string_view after) {
  return changed_fields(parsed(before).view(), parsed(after).view());
}

TEST(Diff, NamesFieldsInTheNewOrderAndDroppedOnesLast) {
  EXPECT_EQ(changed(R"({"id":"1","x":1,"a":1,"b":2,"y":3})", R"({"d":4,"id":1,"b":2.0,"a":0})"),
            (Names{"d", "a", "x", "y"}));
}

TEST(Diff, TheIdIsNeverNamed) {
  EXPECT_EQ(changed(R"({"id":"1","a":1})", R"({"a":2,"id":"1"})"), Names{"a"});
  EXPECT_EQ(changed(R"({"id":"1"})", R"({"id":1})"), Names{});
}

TEST(Diff, OtherSpellingOrOrderIsNoChange) {
  EXPECT_EQ(changed(R"({"id":"1","n":1,"s":"A","o":{"x":1,"y":[2]}})",
                    R"({"o":{"y":[2.0],"x":1e0},"\u0073":"\u0041","n":1.0,"id":1})"),
            Names{});
}

TEST(Diff, NamesAreUnescaped) {
  EXPECT_EQ(changed(R"({"id":"1","a\"":1})", R"({"id":"1","\u0062\\":1})"), (Names{"b\\", "a\""}));
}

TEST(Diff, NullIsAValue) {
  EXPECT_EQ(changed(R"({"id":"1"})", R"({"id":"1","a":null})"), Names{"a"});
  EXPECT_EQ(changed(R"({"id":"1","a":null})", R"({"id":"1"})"), Names{"a"});
}

// What the page says, word by word: each field looked up by itself.
Names naive(DocumentView before, DocumentView after) {
  const auto find = [](DocumentView document, std::string_view spelling) {
    std::optional<std::string_view> found;
    for (std::size_t i = 0; i < document.field_count(); ++i) {
      if (document.field(i).spelling == spelling) found = document.field(i).value;
    }
    return found;
  };
  Names names;
  for (std::size_t i = 0; i < after.field_count(); ++i) {
    const auto [spelling, value] = after.field(i);
    const auto was = find(before, spelling);
    if (spelling != "id" && (!was || !json::equal(*was, value))) {
      names.push_back(json::unescape(spelling));
    }
  }
  for (std::size_t i = 0; i < before.field_count(); ++i) {
    if (!find(after, before.field(i).spelling)) {
      names.push_back(json::unescape(before.field(i).spelling));
    }
  }
  return names;
}

TEST(Diff, AgreesWithLookingUpEachField) {
  const std::uint64_t seed = json::test_seed();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  json::RandomJson random(seed);
  json::Dice order(seed);
  const auto some = [&] {
    std::vector<std::string> fields = {R"("id":"1")"};
    for (char name = 'a'; name <= 'h'; ++name) {
      if (random.below(4) == 0) continue;
      fields.push_back(std::string("\"") + name + "\":" + random.value(random.below(8) == 0));
    }
    if (random.below(2) == 0) std::shuffle(fields.begin(), fields.end(), order);
    std::string text = "{" + fields.front();
    for (std::size_t i = 1; i < fields.size(); ++i) text += "," + fields[i];
    return parsed(text + "}");
  };
  for (int round = 0; round < 5'000; ++round) {
    const Document before = some();
    const Document after = some();
    ASSERT_EQ(changed_fields(before.view(), after.view()), naive(before.view(), after.view()))
        << before.view().text() << " " << after.view().text();
  }
}

}  // namespace
}  // namespace doctor::document
