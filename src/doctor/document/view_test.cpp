#include "doctor/document/view.hpp"

#include <gtest/gtest.h>

#include "doctor/document/memory_view.hpp"

namespace doctor::document {
namespace {

std::vector<std::string> ids(Walk& walk) {
  std::vector<std::string> found;
  while (const auto entry = walk.next()) found.push_back(entry->document.id());
  return found;
}

TEST(PermittedView, ShowsListedDocumentsInCreationOrder) {
  MemoryView all;
  for (const char* id : {"3", "1", "2"}) {
    all.put("vm", std::string("{\"id\":\"") + id + "\"}");
    all.put("host", std::string("{\"id\":\"") + id + "\"}");
  }
  const auto permissions = Permissions::parse("{\"vm\":[\"2\",3,\"x\"]}").value();
  const PermittedView view(all, permissions);
  const auto vm = view.collection("vm").value();
  EXPECT_EQ(ids(*view.walk(vm, DocumentNumber{0})), (std::vector<std::string>{"3", "2"}));
  EXPECT_FALSE(view.find(vm, "1"));
  ASSERT_EQ(view.collections().size(), 1u);
  EXPECT_EQ(view.collections()[0].count, 2u);
}

}  // namespace
}  // namespace doctor::document
