#include "doctor/json/patch.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/json/random_json.hpp"

namespace doctor::json {
namespace {

using Names = std::vector<std::string>;

// The object after a JSON Patch, or what was refused: "409 ..." as HTTP would say.
std::string after(std::string_view target, std::string_view patch, const Limits& limits = {}) {
  const auto patched = json_patch(target, patch, limits);
  if (patched) return patched->object;
  switch (patched.error().code) {
    case Errc::invalid:
      return "400";
    case Errc::conflict:
      return "409";
    case Errc::too_large:
      return "413";
    default:
      return "another error";
  }
}

Names touched(std::string_view target, std::string_view patch) {
  return json_patch(target, patch, Limits{}).value().touched;
}

// ---- shallow

TEST(ShallowPatch, SetsTopLevelFieldsAndNullRemovesOne) {
  const auto patched = shallow_patch(R"({"id":"1","a":1,"b":{"x":1},"c":3})",
                                     R"({"d":4,"b":{"y":null},"a":null,"z":null})");
  EXPECT_EQ(patched.object, R"({"id":"1","b":{"y":null},"c":3,"d":4})");
  EXPECT_EQ(patched.touched, (Names{"d", "b", "a", "z"}));
}

TEST(ShallowPatch, AFieldIsMeantInWhateverSpelling) {
  const auto patched =
      shallow_patch(R"({"a \"b\"":1,"c":2})", R"({"a \u0022b\u0022":5,"\u0063":6})");
  EXPECT_EQ(patched.object, R"({"a \"b\"":5,"c":6})");
  EXPECT_EQ(patched.touched, (Names{"a \"b\"", "c"}));
}

TEST(ShallowPatch, AnEmptyPatchChangesNothing) {
  EXPECT_EQ(shallow_patch(R"({"a":1})", "{}").object, R"({"a":1})");
  EXPECT_EQ(shallow_patch("{}", "{}").object, "{}");
  EXPECT_EQ(shallow_patch(R"({"a":1})", R"({"a":null})").object, "{}");
}

// ---- RFC 7396

TEST(MergePatch, DoesWhatAppendixAOfTheRfcSays) {
  const auto merged = [](std::string_view target, std::string_view patch) {
    return merge_patch(target, patch).object;
  };
  EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":"c"})"), R"({"a":"c"})");
  EXPECT_EQ(merged(R"({"a":"b"})", R"({"b":"c"})"), R"({"a":"b","b":"c"})");
  EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":null})"), "{}");
  EXPECT_EQ(merged(R"({"a":"b","b":"c"})", R"({"a":null})"), R"({"b":"c"})");
  EXPECT_EQ(merged(R"({"a":["b"]})", R"({"a":"c"})"), R"({"a":"c"})");
  EXPECT_EQ(merged(R"({"a":"c"})", R"({"a":["b"]})"), R"({"a":["b"]})");
  EXPECT_EQ(merged(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})"), R"({"a":{"b":"d"}})");
  EXPECT_EQ(merged(R"({"a":[{"b":"c"}]})", R"({"a":[1]})"), R"({"a":[1]})");
  EXPECT_EQ(merged(R"({"e":null})", R"({"a":1})"), R"({"e":null,"a":1})");
  EXPECT_EQ(merged("{}", R"({"a":{"bb":{"ccc":null}}})"), R"({"a":{"bb":{}}})");
}

TEST(MergePatch, NullsThatThePatchDoesNotSpeakOfStay) {
  EXPECT_EQ(merge_patch(R"({"a":{"n":null,"x":1},"b":{"n":null}})", R"({"a":{"x":2}})").object,
            R"({"a":{"n":null,"x":2},"b":{"n":null}})");
}

// ---- RFC 6902

TEST(JsonPatch, DoesWhatAppendixAOfTheRfcSays) {
  EXPECT_EQ(after(R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])"),
            R"({"foo":"bar","baz":"qux"})");
  EXPECT_EQ(after(R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])"),
            R"({"foo":["bar","qux","baz"]})");
  EXPECT_EQ(after(R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])"),
            R"({"foo":"bar"})");
  EXPECT_EQ(after(R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])"),
            R"({"foo":["bar","baz"]})");
  EXPECT_EQ(
      after(R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])"),
      R"({"baz":"boo","foo":"bar"})");
  EXPECT_EQ(after(R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
                  R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])"),
            R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})");
  EXPECT_EQ(after(R"({"foo":["all","grass","cows","eat"]})",
                  R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])"),
            R"({"foo":["all","cows","eat","grass"]})");
  EXPECT_EQ(
      after(R"({"baz":"qux","foo":["a",2,"c"]})", R"([{"op":"test","path":"/baz","value":"qux"},)"
                                                  R"({"op":"test","path":"/foo/1","value":2}])"),
      R"({"baz":"qux","foo":["a",2,"c"]})");
  EXPECT_EQ(after(R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])"), "409");
  EXPECT_EQ(after(R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"g":{}}}])"),
            R"({"foo":"bar","child":{"g":{}}})");
  EXPECT_EQ(after(R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])"),
            R"({"foo":"bar","baz":"qux"})");
  EXPECT_EQ(after(R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])"), "409");
  EXPECT_EQ(after(R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])"),
            R"({"/":9,"~1":10})");
  EXPECT_EQ(after(R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])"), "409");
  EXPECT_EQ(after(R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])"),
            R"({"foo":["bar",["abc","def"]]})");
}

TEST(JsonPatch, WhatIsMalformedInItselfIsRefusedBeforeAnythingIsApplied) {
  for (const char* operation :
       {"1", "{}", R"({"op":1,"path":"/a","value":1})", R"({"op":"spam","path":"/a","value":1})",
        R"({"op":"add","value":1})", R"({"op":"add","path":1,"value":1})",
        R"({"op":"add","path":"a","value":1})", R"({"op":"add","path":"/~","value":1})",
        R"({"op":"add","path":"/~2","value":1})", R"({"op":"add","path":"/a"})",
        R"({"op":"replace","path":"/a"})", R"({"op":"test","path":"/a"})", R"({"op":"remove"})",
        R"({"op":"remove","path":""})", R"({"op":"move","path":"/a"})",
        R"({"op":"copy","path":"/a"})", R"({"op":"copy","path":"/a","from":"b"})",
        R"({"op":"move","path":"/a/b","from":"/a"})", R"({"op":"move","path":"/a","from":""})"}) {
    // The failed test before it would be a conflict, were it applied.
    const std::string patch =
        std::string(R"([{"op":"test","path":"/a","value":0},)") + operation + "]";
    EXPECT_EQ(after(R"({"a":1})", patch), "400") << operation;
    EXPECT_FALSE(check_json_patch(patch, Limits{})) << operation;
  }
  EXPECT_EQ(after("{}", "{}"), "400");
}

TEST(JsonPatch, WhatDoesNotFitTheDocumentIsAConflict) {
  const char* document = R"({"a":[1,2],"s":"text","n":null,"o":{}})";
  for (const char* operation : {R"({"op":"remove","path":"/x"})",
                                R"({"op":"replace","path":"/x","value":1})",
                                R"({"op":"replace","path":"/a/2","value":1})",
                                R"({"op":"remove","path":"/a/-"})",
                                R"({"op":"replace","path":"/a/-","value":1})",
                                R"({"op":"test","path":"/a/-","value":1})",
                                R"({"op":"add","path":"/a/3","value":1})",
                                R"({"op":"add","path":"/a/01","value":1})",
                                R"({"op":"add","path":"/a/+1","value":1})",
                                R"({"op":"add","path":"/a/x","value":1})",
                                R"({"op":"add","path":"/a/18446744073709551616","value":1})",
                                R"({"op":"add","path":"/s/x","value":1})",
                                R"({"op":"add","path":"/n/x","value":1})",
                                R"({"op":"add","path":"/s/","value":1})",
                                R"({"op":"test","path":"/o/x","value":null})",
                                R"({"op":"copy","from":"/x","path":"/y"})",
                                R"({"op":"move","from":"/x","path":"/y"})",
                                R"({"op":"move","from":"/x","path":"/x"})",
                                R"({"op":"move","from":"/a/0","path":"/a/2"})",
                                R"({"op":"copy","from":"/a/9","path":"/y"})"}) {
    EXPECT_EQ(after(document, std::string("[") + operation + "]"), "409") << operation;
  }
}

TEST(JsonPatch, AnErrorNamesTheOperationByItsNumber) {
  const auto patched = json_patch(R"({"a":1})",
                                  R"([{"op":"test","path":"/a","value":1.0},)"
                                  R"({"op":"remove","path":"/b"}])",
                                  Limits{});
  ASSERT_FALSE(patched);
  EXPECT_NE(patched.error().detail.find("operation 1:"), std::string::npos);
}

TEST(JsonPatch, AFieldThatIsSetAgainKeepsItsPlace) {
  EXPECT_EQ(after(R"({"a":1,"b":2})", R"([{"op":"add","path":"/a","value":3}])"),
            R"({"a":3,"b":2})");
  EXPECT_EQ(after(R"({"a":1,"b":2,"c":3})", R"([{"op":"move","from":"/c","path":"/a"}])"),
            R"({"a":3,"b":2})");
  EXPECT_EQ(after(R"({"a":1,"b":2})", R"([{"op":"copy","from":"/b","path":"/a"}])"),
            R"({"a":2,"b":2})");
  EXPECT_EQ(after(R"({"a":1,"b":2})",
                  R"([{"op":"remove","path":"/a"},{"op":"add","path":"/a","value":1}])"),
            R"({"b":2,"a":1})");
}

TEST(JsonPatch, TouchesFieldsInTheOrderOfItsOperationsAMoveItsFromFirst) {
  EXPECT_EQ(touched(R"({"a":{"x":1},"b":2,"c":3})",
                    R"([{"op":"test","path":"/c","value":3},{"op":"move","from":"/b","path":"/d"},)"
                    R"({"op":"copy","from":"/c","path":"/e"},{"op":"remove","path":"/a/x"},)"
                    R"({"op":"add","path":"/d","value":0}])"),
            (Names{"b", "d", "e", "a"}));
}

TEST(JsonPatch, TheWholeDocumentMayBeReplaced) {
  EXPECT_EQ(after(R"({"a":1})", R"([{"op":"replace","path":"","value":{"b":2}}])"), R"({"b":2})");
  EXPECT_EQ(after(R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":""}])"), R"({"b":1})");
  EXPECT_EQ(touched(R"({"a":1,"b":2})", R"([{"op":"add","path":"","value":{"b":2,"c":3}}])"),
            (Names{"b", "c", "a"}));
  EXPECT_EQ(after(R"({"a":1})", R"([{"op":"add","path":"","value":[1]}])"), "400");
  EXPECT_EQ(after(R"({"a":1})",
                  R"([{"op":"add","path":"","value":[1]},{"op":"add","path":"","value":{}}])"),
            "{}");
}

TEST(JsonPatch, ACopyIsAValueOfItsOwn) {
  EXPECT_EQ(
      after(R"({"a":{"x":[1]}})",
            R"([{"op":"add","path":"/a/x/-","value":2},{"op":"copy","from":"/a","path":"/b"},)"
            R"({"op":"add","path":"/b/x/0","value":0},{"op":"remove","path":"/a/x/0"}])"),
      R"({"a":{"x":[2]},"b":{"x":[0,1,2]}})");
}

TEST(JsonPatch, ManyFieldsAreFoundInWhateverSpelling) {
  std::string target = "{";
  std::string patch = "[";
  for (int i = 0; i < 100; ++i) {
    target += "\"\\u0066" + std::to_string(i) + "\":" + std::to_string(i) + ",";
    patch += R"({"op":"remove","path":"/f)" + std::to_string(i) + "\"},";
  }
  target.back() = '}';
  patch += R"({"op":"add","path":"/f7","value":true},{"op":"replace","path":"/f7","value":1}])";
  EXPECT_EQ(after(target, patch), R"({"f7":1})");
}

// ---- against a plain model

std::string joined(const std::vector<std::string>& values, char open, char close) {
  std::string text(1, open);
  for (const std::string& value : values) text += (text.size() > 1 ? "," : "") + value;
  return text + close;
}

TEST(JsonPatch, AnArrayOfManyIsChangedAnywhere) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  RandomJson random(seed);
  for (const std::size_t size : {0, 1, 3, 20'000}) {
    std::vector<std::string> model;
    for (std::size_t i = 0; i < size; ++i) model.push_back(std::to_string(i));
    const std::string target = R"({"a":)" + joined(model, '[', ']') + "}";
    std::vector<std::string> operations;
    const auto at = [](std::size_t index) { return "\"/a/" + std::to_string(index) + '"'; };
    const auto iterator = [&](std::size_t index) {
      return model.begin() + static_cast<std::ptrdiff_t>(index);
    };
    for (int i = 0; i < 500; ++i) {
      const std::string value = "\"new " + std::to_string(i) + '"';
      const std::size_t index = random.below(model.size() + 1);
      if (index == model.size() || random.below(3) == 0) {
        model.insert(iterator(index), value);
        operations.push_back(R"({"op":"add","path":)" + at(index) + R"(,"value":)" + value + "}");
      } else if (random.below(3) == 0) {
        model[index] = value;
        operations.push_back(R"({"op":"replace","path":)" + at(index) + R"(,"value":)" + value +
                             "}");
      } else if (random.below(2) == 0) {
        model.erase(iterator(index));
        operations.push_back(R"({"op":"remove","path":)" + at(index) + "}");
      } else {
        const std::string moved = model[index];
        model.erase(iterator(index));
        const std::size_t to = random.below(model.size() + 1);
        model.insert(iterator(to), moved);
        operations.push_back(R"({"op":"move","from":)" + at(index) + R"(,"path":)" + at(to) + "}");
      }
    }
    EXPECT_EQ(after(target, joined(operations, '[', ']')),
              R"({"a":)" + joined(model, '[', ']') + "}");
  }
}

TEST(JsonPatch, AnObjectOfManyIsChangedAnywhere) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("DOCTOR_SEED=" + std::to_string(seed));
  RandomJson random(seed);
  for (const std::size_t size : {0, 10, 30, 5'000}) {
    std::vector<std::string> names;
    const auto member = [](const std::string& name) { return '"' + name + "\":1"; };
    const auto object = [&] {
      std::vector<std::string> members;
      for (const std::string& name : names) members.push_back(member(name));
      return joined(members, '{', '}');
    };
    for (std::size_t i = 0; i < size; ++i) names.push_back("n" + std::to_string(i));
    const std::string target = object();
    std::vector<std::string> operations;
    for (int i = 0; i < 500; ++i) {
      const std::string name = "n" + std::to_string(random.below(size + 20));
      const auto found = std::find(names.begin(), names.end(), name);
      if (found == names.end()) {
        names.push_back(name);
        operations.push_back(R"({"op":"add","path":"/)" + name + R"(","value":1})");
      } else if (random.below(2) == 0) {
        names.erase(found);
        operations.push_back(R"({"op":"remove","path":"/)" + name + R"("})");
      } else {
        operations.push_back(R"({"op":"test","path":"/)" + name + R"(","value":1})");
      }
    }
    EXPECT_EQ(after(target, joined(operations, '[', ']')), object());
  }
}

// ---- limits

TEST(JsonPatch, APatchThatDoublesStopsAtTheLimit) {
  Limits limits;
  limits.document_size = 10'000;
  const auto often = [](const std::string& operation) {
    std::string patch = "[" + operation;
    for (int i = 1; i < 100; ++i) patch += "," + operation;
    return patch + "]";
  };
  EXPECT_EQ(
      after(R"({"a":["0123456789"]})", often(R"({"op":"copy","from":"/a","path":"/a/-"})"), limits),
      "413");
  EXPECT_EQ(after(R"({"a":1,"o":1})", often(R"({"op":"copy","from":"","path":"/o"})")), "400");
}

TEST(JsonPatch, NestingAndFieldsAreCheckedAfterEachOperation) {
  Limits limits;
  limits.nesting = 3;
  limits.document_fields = 2;
  EXPECT_EQ(after(R"({"a":{}})", R"([{"op":"add","path":"/a/x","value":[1]}])", limits),
            R"({"a":{"x":[1]}})");
  EXPECT_EQ(after(R"({"a":{}})", R"([{"op":"add","path":"/a/x","value":[[]]}])", limits), "400");
  EXPECT_EQ(after(R"({"a":1,"b":2})",
                  R"([{"op":"add","path":"/c","value":1},{"op":"remove","path":"/a"}])", limits),
            "400");
}

TEST(JsonPatch, TheNumberOfOperationsAndTheirWorkIsBounded) {
  Limits limits;
  limits.patch_operations = 2;
  const char* operation = R"({"op":"test","path":"/a","value":1})";
  const auto patch = [&](int count) {
    std::string text = "[";
    for (int i = 0; i < count; ++i) text += std::string(i > 0 ? "," : "") + operation;
    return text + "]";
  };
  EXPECT_EQ(after(R"({"a":1})", patch(2), limits), R"({"a":1})");
  EXPECT_EQ(after(R"({"a":1})", patch(3), limits), "400");
  limits.patch_work = 8;
  EXPECT_EQ(after(R"({"a":1})", patch(2), limits), "413");
}

}  // namespace
}  // namespace doctor::json
