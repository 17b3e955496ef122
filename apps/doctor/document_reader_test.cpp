#include "document_reader.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace doctor::app {
namespace {

/// What the reader makes of `input`, given to it in pieces of `step` bytes: `line:text` each, and
/// the error last.
std::vector<std::string> read(std::string input, std::size_t step, std::size_t object_max = 1000) {
  DocumentReader reader(
      [&](std::span<char> out) -> Result<std::size_t> {
        const std::size_t size = std::min({step, out.size(), input.size()});
        std::copy_n(input.begin(), size, out.begin());
        input.erase(0, size);
        return size;
      },
      object_max);
  std::vector<std::string> found;
  for (;;) {
    const auto object = reader.next();
    if (!object) {
      found.push_back("error " + object.error().detail);
      return found;
    }
    if (!*object) return found;
    found.push_back(std::to_string((*object)->line) + ":" + std::string((*object)->text));
  }
}

void expect(const std::string& input, const std::vector<std::string>& objects) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1000}})
    EXPECT_EQ(read(input, step), objects) << input << " in pieces of " << step;
}

TEST(DocumentReader, ReadsOneObjectALine) {
  expect("{\"a\":1}\n\n {\"b\":2}\r\n{\"c\":3}", {"1:{\"a\":1}", "3:{\"b\":2}\r", "4:{\"c\":3}"});
}

TEST(DocumentReader, ReadsAnArrayAcrossLines) {
  expect("\n[ {\"a\":\n1},\n{\"b\":{\"c\":[]}} ]\n", {"2:{\"a\":\n1}", "4:{\"b\":{\"c\":[]}}"});
}

TEST(DocumentReader, BracketsAndQuotesInsideStringsAreText) {
  expect(R"([{"a":"}]\"{\\"},{"b":"\\\""}])", {R"(1:{"a":"}]\"{\\"})", R"(1:{"b":"\\\""})"});
}

TEST(DocumentReader, NothingAndAnEmptyArrayAreNoDocuments) {
  expect("", {});
  expect(" \n", {});
  expect(" [ ] \n", {});
}

TEST(DocumentReader, SaysInWhichLineSomethingElseStands) {
  expect("{\"a\":1}\n7\n", {"1:{\"a\":1}", "error line 2: a document is a JSON object"});
  expect("[{}\n,\n[]]", {"1:{}", "error line 3: a document is a JSON object"});
  expect("[{}\n{}]", {"1:{}", "error line 2: a comma or the end of the array is missing"});
  expect("[{}]\n]", {"1:{}", "error line 2: something stands behind the array"});
  expect("[{},\n", {"1:{}", "error line 2: the array does not end"});
  expect("[\n{\"a\":\"]", {"error line 2: the object that begins here does not end"});
  expect("[{}", {"1:{}", "error line 1: a comma or the end of the array is missing"});
}

TEST(DocumentReader, AnObjectBeyondTheLimitIsNotHeld) {
  const std::string endless = "{\"a\":\"" + std::string(5000, 'x');
  EXPECT_EQ(read(endless, 100, 1000),
            (std::vector<std::string>{"error line 1: a line longer than 1000 bytes"}));
  EXPECT_EQ(read("[" + endless, 100, 1000),
            (std::vector<std::string>{"error line 1: an object longer than 1000 bytes"}));
}

}  // namespace
}  // namespace doctor::app
